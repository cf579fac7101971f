"""The conversation log: every message once, warm in SQL for 90 days, cold in Parquet after that, and erasable."""
