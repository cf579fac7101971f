"""Where copies of customers' files are kept: a folder or a bucket, as `pyarrow.fs` reads `MEDIA_URL`.

A file's place follows from the customer and the file's id, so that an erasure finds all of a customer's without any
table, and tells nobody who it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa
from pyarrow import fs

import buckets
from handoff.storage.database import HandoffUnavailable
from privacy.pseudonyms import folder_of
from settings import SettingsError


class StoreUnavailable(HandoffUnavailable):
    """The folder or bucket does not answer, or does not let us in."""


class MediaStore:
    """Whole files by customer and media id. Methods block and raise StoreUnavailable."""

    def __init__(self, filesystem: fs.FileSystem, root: str) -> None:
        self._fs, self._root = filesystem, root.rstrip("/")

    @classmethod
    def at(cls, url: str) -> MediaStore:
        """The store at a `file://`, `s3://` or `gs://` URI. Raises SettingsError, StoreUnavailable."""
        try:
            with _reaching():
                return cls(*buckets.file_system(url))
        except pa.ArrowInvalid:
            # Arrow's message repeats the URI, and s3:// ones may hold a key.
            raise SettingsError(
                "MEDIA_URL cannot be used. Remedy: write file:///folder, s3://bucket/folder or gs://bucket/folder."
            ) from None

    def write(self, customer: str, media_id: str, content: bytes) -> None:
        """Keep a file, whole or not at all; again changes nothing."""
        with _reaching():
            buckets.write_whole(self._fs, self._path(customer, media_id), content)

    def read(self, customer: str, media_id: str) -> bytes | None:
        """A file's content; None when there is none."""
        path = self._path(customer, media_id)
        with _reaching():
            if self._fs.get_file_info(path).type != fs.FileType.File:
                return None
            with self._fs.open_input_stream(path) as found:
                return bytes(found.read())

    def delete(self, customer: str, media_id: str) -> None:
        """Remove a file, if it is there."""
        with _reaching(), suppress(FileNotFoundError):
            self._fs.delete_file(self._path(customer, media_id))

    def _path(self, customer: str, media_id: str) -> str:
        return f"{self._root}/{folder_of(customer)}/{hashlib.sha256(media_id.encode()).hexdigest()[:40]}"


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(type(error).__name__) from error
