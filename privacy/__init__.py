"""Redaction, pseudonyms and a log filter: what keeps customers' data where it belongs. Standard library only.

Imports nothing of ours. Start reading in `redaction.py`, then `log_filter.py`.
"""
