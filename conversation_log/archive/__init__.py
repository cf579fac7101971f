"""The cold tier: Parquet files in S3, GCS or a folder, and moving conversations there.

Imports `storage`, `query.export`. Start reading in `archiver.py`.
"""
