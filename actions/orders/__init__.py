"""The shop's orders, read-only: whose they are, where they are, and how that is said.

Imports settings and the shop only. Start reading in `lookup.py`, then `repository.py`.
"""
