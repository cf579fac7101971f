"""Redaction, pseudonyms, a log filter and the links that may be sent: what may leave the house. Standard library only.

Imports nothing of ours. Start reading in `redaction.py`, then `log_filter.py`.
"""
