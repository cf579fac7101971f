"""Folders and buckets by URI: `file://`, `s3://` (AWS's, or any service that speaks S3) and `gs://`."""

import os
from contextlib import suppress

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


def write_whole(filesystem: fs.FileSystem, path: str, content: bytes) -> None:
    """A file that is there whole or not at all. Raises OSError.

    Object stores show one when it is complete; on disks it gets its name when it is, and outlives a power cut from then
    on.
    """
    local = isinstance(filesystem, fs.LocalFileSystem)
    written = f"{path}.part" if local else path
    if local:
        filesystem.create_dir(path.rpartition("/")[0], recursive=True)
    with filesystem.open_output_stream(written, compression=None) as out:
        out.write(content)
    if local:
        _to_disk(written)
        filesystem.move(written, path)
        with suppress(OSError):  # not every file system does so with a folder
            _to_disk(path.rpartition("/")[0])


def _to_disk(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
