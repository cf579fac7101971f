"""Does an answer say only what the pages say? Deterministic.

Imports `pages`. Start reading in `verification.py`.
"""
