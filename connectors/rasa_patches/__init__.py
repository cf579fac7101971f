"""Replacements of what stock Rasa 3.6 wastes in every turn, each guarded by the version and compared with the original
in a test.

Imports rasa only. Start reading in `speedups.py`, which says how much each saves.
"""
