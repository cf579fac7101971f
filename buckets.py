"""Folders and buckets by URI: `file://`, `s3://` (AWS's, or any service that speaks S3) and `gs://`."""

import os

from pyarrow import fs

import settings

GCS_TIMEOUT_S = 30  # Google's client would try for 15 minutes before it says that there are no credentials


def file_system(url: str) -> tuple[fs.FileSystem, str]:
    """The file system and the path in it. Raises pyarrow.ArrowInvalid for what is no such URI, else OSError.

    Arrow reads credentials, region and AWS_ENDPOINT_URL from the environment: what `.env` or a file says is put there.
    """
    for name, value in settings.load().values.items():
        if name.startswith("AWS_") and value:
            os.environ[name] = value
            os.environ.pop(f"{name}_FILE", None)  # it must not be said twice
    if url.startswith(("gs://", "gcs://")) and "retry_limit_seconds" not in url:
        url += f"{'&' if '?' in url else '?'}retry_limit_seconds={GCS_TIMEOUT_S}"
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(url)
    return found
