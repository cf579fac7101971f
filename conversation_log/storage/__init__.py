"""The warm tier: tables, migrations, connections, and reading conversations back.

Imports `model`. Start reading in `tables.py`.
"""
