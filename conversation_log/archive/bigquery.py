"""The archive as a BigQuery external table: BigQuery reads the Parquet files where they are.

Only files with a manifest are part of the archive, but BigQuery reads all; the nightly run sweeps up what a killed
run left, so publish after it. Google's client takes a second to import, so only what publishes imports it.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import TimeoutError as TookTooLong
from typing import TYPE_CHECKING

from conversation_log.storage.database import LogUnavailable

if TYPE_CHECKING:
    from google.cloud import bigquery

EMULATOR = "BIGQUERY_EMULATOR_HOST"  # Google's client reads it too, for the address
TIMEOUT_S = 60.0  # for a request with its repetitions, and for the job to finish
REQUEST_S = 20.0

_AGAIN = "The archive itself is complete: run the same command again, or give BigQuery what `--print-ddl` prints."
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


def publish(table: str, archive_url: str) -> None:
    """Create or replace the external table and wait for it. Raises LogUnavailable, which names the remedy."""
    statement = ddl(table, archive_url)
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.bigquery import DEFAULT_RETRY
    from requests.exceptions import RequestException

    retry = DEFAULT_RETRY.with_timeout(TIMEOUT_S)
    try:
        client = _client(table.split(".")[0])
        # The library would retry a failed job for 40 minutes; the operator at the terminal decides that here.
        # None is what its documentation says for that; its annotation forgot it.
        job = client.query(statement, retry=retry, timeout=REQUEST_S, job_retry=None)  # type: ignore[arg-type]
        job.result(retry=retry, timeout=TIMEOUT_S)
    except GoogleAuthError as error:
        raise LogUnavailable(
            f"Google accepts no credentials from here: {_first_line(error)} Name a service account's key file in "
            f"GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`. {_AGAIN}"
        ) from None
    except (RetryError, RequestException, ConnectionError, TookTooLong) as error:
        raise LogUnavailable(
            f"BigQuery gave no answer in time ({type(error).__name__}). Check the network, and whether a proxy "
            f"or firewall lets bigquery.googleapis.com through. {_AGAIN}"
        ) from None
    except GoogleAPICallError as error:
        raise LogUnavailable(f"BigQuery: {_first_line(error)} {_remedy(error.code, table)} {_AGAIN}") from None


def _client(project: str) -> bigquery.Client:
    """Google's client with the operator's credentials; an emulator asks for none."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    credentials = AnonymousCredentials() if os.environ.get(EMULATOR) else None
    return bigquery.Client(project=project, credentials=credentials)


def _first_line(error: Exception) -> str:
    """What Google says, without the request's address before it and the job's number below that its client adds."""
    text = re.sub(r"^(?:GET|POST) \S+: ", "", str(getattr(error, "message", None) or error).strip())
    return text.splitlines()[0].rstrip(".") + "." if text else type(error).__name__ + "."


def _remedy(code: int | None, table: str) -> str:
    """What to do about an HTTP status."""
    project, dataset, _ = table.split(".")
    if code in (401, 403):
        return (
            f"The account needs BigQuery Job User on {project}, BigQuery Data Editor on {dataset}, and "
            "Storage Object Viewer on the archive's bucket."
        )
    if code == 404:
        return (
            f"Make the dataset where the bucket is (`bq mk --location=LOCATION --dataset {project}:{dataset}`), "
            "and check the names of the project and the bucket."
        )
    if code == 400:
        return "BigQuery makes no table of an empty folder: at least one conversation must be in the archive."
    return "This is BigQuery's own trouble; status.cloud.google.com may know more."
