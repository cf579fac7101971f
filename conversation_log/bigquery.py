"""The archive as a BigQuery external table: BigQuery reads the Parquet files where they are.

Only files with a manifest are part of the archive, but BigQuery reads all; the nightly run sweeps up what a killed
run left, so publish after it. google-cloud-bigquery is not among the requirements; whoever uses this installs it.
"""

from __future__ import annotations

import re
from typing import Any

from conversation_log.database import LogUnavailable

_TABLE = re.compile(r"[\w-]{1,100}\.\w{1,100}\.[\w-]{1,100}")


def ddl(table: str, archive_url: str) -> str:
    """The statement that creates the external table. Raises LogUnavailable when it cannot be one."""
    if not _TABLE.fullmatch(table):
        raise LogUnavailable(f"{table!r} is not a BigQuery table; write PROJECT.DATASET.TABLE.")
    if not archive_url.startswith("gs://"):
        raise LogUnavailable("BigQuery reads the archive only from Google Cloud Storage: ARCHIVE_URL must be gs://.")
    root = re.sub(r"\?.*", "", archive_url).rstrip("/")
    if not re.fullmatch(r"gs://[\w./-]+", root):
        raise LogUnavailable("ARCHIVE_URL has characters that a BigQuery statement cannot hold.")
    return (
        f"CREATE OR REPLACE EXTERNAL TABLE `{table}`\n"
        "WITH PARTITION COLUMNS (date DATE)\n"
        f"OPTIONS (format = 'PARQUET', enable_list_inference = TRUE,\n"
        f"  hive_partition_uri_prefix = '{root}/conversations',\n"
        f"  uris = ['{root}/conversations/*.parquet'])"
    )


def publish(table: str, archive_url: str, client: Any = None) -> None:
    """Create or replace the external table. Raises LogUnavailable."""
    statement = ddl(table, archive_url)
    if client is None:
        try:
            from google.cloud import bigquery
        except ImportError:
            raise LogUnavailable(
                "google-cloud-bigquery is not installed. Install it, or run the statement of `--print-ddl` yourself."
            ) from None
        client = bigquery.Client(project=table.split(".")[0])
    client.query(statement).result()
