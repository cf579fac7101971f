"""The shop's pages as it has them, cut into sections; and what shop customers usually ask.

Imports nothing else of ours. Start reading in `documents.py`.
"""
