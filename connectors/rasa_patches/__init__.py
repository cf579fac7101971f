"""Replacements of what stock Rasa 3.6 wastes at its start and in every turn, each guarded by the version and compared
with the original in a test.

Imports rasa only. Start reading in `speedups.py`, which says how much each saves; `loading.py` is the start's.
"""
