"""Forgetting a customer in every tier.

Imports `archive`, `ingest.stream`, `storage`. Start reading in `erase.py`.
"""
