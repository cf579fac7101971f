"""The takeovers' tables, their migrations, and the queries that every transaction uses.

Imports nothing else of `handoff`. Start reading in `tables.py`.
"""
