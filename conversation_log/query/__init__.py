"""Conversations asked for by people: exported, shown, followed, counted.

Imports `archive` and `storage`. Start reading in `tiers.py`.
"""
