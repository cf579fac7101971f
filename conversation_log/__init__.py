"""The conversation log: every message once, warm in SQL for 90 days, cold in Parquet after that, and erasable.

Imports `privacy` and settings. Start reading in `ingest/writer.py` (records in) and `query/tiers.py` (conversations
out); `__main__.py` has the commands.
"""
