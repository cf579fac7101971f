"""The cold tier: Parquet files, partitioned by the day on which conversations ended, and one manifest a file.

    conversations/date=2026-08-01/part-3f….parquet    zstd, one row a conversation with its messages nested
    manifests/date=2026-08-01/part-3f….json           counts, hashes, state

A manifest is what makes a file part of the archive: a Parquet file without one is the remains of a run that was
killed, and is never read. State `copied` means that the warm rows may still exist, `done` that they are gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

import buckets
from conversation_log.archive.columns import SCHEMA, as_row, from_row
from conversation_log.model.records import moment
from conversation_log.storage import remedies
from conversation_log.storage.database import LogUnavailable
from conversation_log.storage.reader import Selection

FORMAT = 1
STRAY_FOR = timedelta(days=1)
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Manifest:
    """What one archived file holds. `contents` is the hash over its conversations, `sha256` over its bytes.

    `replaces` names the file whose place it takes (after an erasure); `first` and `last` bound when they began.
    """

    name: str
    date: str
    state: str
    conversations: int
    messages: int
    bytes: int
    sha256: str
    contents: str
    first: str
    last: str
    replaces: str | None = None
    format: int = FORMAT

    @property
    def data_path(self) -> str:
        return f"conversations/date={self.date}/{self.name}.parquet"

    @property
    def path(self) -> str:
        return f"manifests/date={self.date}/{self.name}.json"


class ParquetArchive:
    """The archive at one address. Methods raise LogUnavailable when it cannot be read or written."""

    def __init__(self, filesystem: fs.FileSystem, root: str, scheme: str = "file") -> None:
        self._fs, self._root, self._scheme = filesystem, root.rstrip("/"), scheme

    @classmethod
    def at(cls, url: str) -> ParquetArchive:
        """The archive at a `file://`, `s3://` or `gs://` URI. Raises LogUnavailable."""
        scheme = {"gcs": "gs"}.get(url.partition("://")[0], url.partition("://")[0])
        try:
            filesystem, root = buckets.file_system(url)
        except pa.ArrowInvalid:
            # Arrow's message repeats the URI, and s3:// ones may hold a key.
            raise LogUnavailable(
                "ARCHIVE_URL cannot be used; write file:///folder, s3://bucket/folder or gs://bucket/folder."
            ) from None
        except OSError as error:
            raise LogUnavailable(remedies.of_archive(error, scheme)) from error
        return cls(filesystem, root, scheme)

    # -- manifests

    def manifests(self) -> list[Manifest]:
        """All files of the archive, by day. A file that another one replaces is left out."""
        return self._manifests()[0]

    def _manifests(self) -> tuple[list[Manifest], list[Manifest]]:
        """Those that count, by day, and those that were replaced."""
        selector = fs.FileSelector(self._at("manifests"), recursive=True, allow_not_found=True)
        with self._reaching():
            infos = self._fs.get_file_info(selector)
        paths = [info.path for info in infos if info.type == fs.FileType.File and info.path.endswith(".json")]
        found = [_manifest(self._read(path)) for path in paths]
        replaced = {manifest.replaces for manifest in found}
        live = sorted((m for m in found if m.name not in replaced), key=lambda m: (m.date, m.name))
        return live, [m for m in found if m.name in replaced]

    def write_manifest(self, manifest: Manifest) -> None:
        """Put a manifest in place, whole or not at all."""
        self._write(manifest.path, json.dumps(asdict(manifest), indent=1).encode())

    def finish(self, manifest: Manifest) -> None:
        """Note that the warm rows are gone."""
        self.write_manifest(replace(manifest, state="done"))

    # -- data

    def write(self, records: list[dict[str, Any]], day: date, state: str, replaces: str | None = None) -> Manifest:
        """Write a file and read it back; only its manifest (not written here) makes it part of the archive."""
        contents = contents_hash(records)
        name = f"part-{contents[:20]}"
        rows = pa.Table.from_pylist([as_row(record) for record in records], schema=SCHEMA)
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd", version="2.6")
        body = sink.getvalue().to_pybytes()
        began = [record["timestamp_start"] for record in records]
        manifest = Manifest(
            name=name, date=day.isoformat(), state=state, conversations=len(records),
            messages=sum(len(record["messages"]) for record in records), bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(), contents=contents, first=min(began), last=max(began),
            replaces=replaces,
        )  # fmt: skip
        self._write(manifest.data_path, body)
        self.verify(manifest)
        return manifest

    def verify(self, manifest: Manifest) -> None:
        """Read a file back and compare it with its manifest. Raises LogUnavailable when they differ."""
        body = self._read(self._at(manifest.data_path))
        with self._reaching():
            found = [from_row(row) for row in pq.read_table(pa.BufferReader(body)).to_pylist()]
        if hashlib.sha256(body).hexdigest() != manifest.sha256 or contents_hash(found) != manifest.contents:
            raise LogUnavailable(f"What was read back from {manifest.data_path} is not what was written.")

    def owners_in(self, manifest: Manifest) -> pa.Table:
        """`customer_id` and `customer_phone` of the conversations in a file, each pair once."""
        with self._reaching(), self._fs.open_input_file(self._at(manifest.data_path)) as source:
            return _unique(pq.read_table(source, columns=list(_OWNER)))

    def owners(self) -> pa.Table:
        """The same for all files; an empty table for none."""
        parts = [self.owners_in(manifest) for manifest in self.manifests()]
        return _unique(pa.concat_tables(parts)) if parts else pa.schema([SCHEMA.field(n) for n in _OWNER]).empty_table()

    def rows(self, manifest: Manifest) -> Iterator[dict[str, Any]]:
        """The records of a file."""
        with self._reaching(), self._fs.open_input_file(self._at(manifest.data_path)) as source:
            for batch in pq.ParquetFile(source).iter_batches(batch_size=ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield from_row(row)

    def records(self, selection: Selection, manifests: Iterable[Manifest] | None = None) -> Iterator[dict[str, Any]]:
        """The archived records of a selection, from these files or all; those that cannot hold any are not opened."""
        for manifest in self.manifests() if manifests is None else manifests:
            if may_hold(manifest, selection):
                yield from (record for record in self.rows(manifest) if _selected(record, selection))

    def remove(self, manifest: Manifest) -> None:
        """Take a file out of the archive: the manifest first, so that nobody reads what is half gone."""
        self._delete(manifest.path)
        self._delete(manifest.data_path)

    def sweep(self, now: datetime) -> int:
        """Delete what killed runs left: files that were replaced; data without manifest. Returns how many.

        Data of the last STRAY_FOR may be what another installation with the same address is about to note.
        """
        live, replaced = self._manifests()
        wanted = {self._at(path) for manifest in live for path in (manifest.path, manifest.data_path)}
        ours = {self._at(path) for manifest in replaced for path in (manifest.path, manifest.data_path)}
        swept = 0
        for folder in ("manifests", "conversations"):
            selector = fs.FileSelector(self._at(folder), recursive=True, allow_not_found=True)
            with self._reaching():
                infos = self._fs.get_file_info(selector)
                for info in infos:
                    if info.type != fs.FileType.File or info.path in wanted:
                        continue
                    if info.path in ours or _is_old(info, now):
                        self._fs.delete_file(info.path)
                        swept += 1
        return swept

    def is_old(self, manifest: Manifest, now: datetime) -> bool:
        """Whether a file was noted long enough ago for the installation that did so to have finished with it."""
        with self._reaching():
            return _is_old(self._fs.get_file_info(self._at(manifest.path)), now)

    # -- files

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _read(self, path: str) -> bytes:
        with self._reaching(), self._fs.open_input_stream(path) as source:
            return bytes(source.read())

    def _write(self, path: str, body: bytes) -> None:
        """Whole, and to stay: what it holds is deleted elsewhere next."""
        with self._reaching():
            buckets.write_whole(self._fs, self._at(path), body)

    def _delete(self, path: str) -> None:
        with self._reaching(), suppress(FileNotFoundError):
            self._fs.delete_file(self._at(path))

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Whatever fails in Arrow comes out as LogUnavailable, in words and with a remedy."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise LogUnavailable(remedies.of_archive(error, self._scheme)) from error


def _is_old(info: fs.FileInfo, now: datetime) -> bool:
    return info.mtime is not None and now - info.mtime > STRAY_FOR


_OWNER = ("customer_id", "customer_phone")


def _unique(table: pa.Table) -> pa.Table:
    return table.group_by(list(_OWNER)).aggregate([])


def contents_hash(records: list[dict[str, Any]]) -> str:
    """A hash over conversations that does not depend on their order or on how the file is compressed."""
    return hashlib.sha256("\n".join(sorted(map(canonical, records))).encode()).hexdigest()


def canonical(record: dict[str, Any]) -> str:
    """A record as one line that equal records share."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False)


def _manifest(body: bytes) -> Manifest:
    try:
        known = Manifest.__dataclass_fields__  # a newer version may have written more
        return Manifest(**{name: value for name, value in json.loads(body).items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise LogUnavailable(f"A manifest of the archive is damaged: {error}") from error


def may_hold(manifest: Manifest, selection: Selection) -> bool:
    """Whether a file can hold conversations of a selection, by when they began."""
    if selection.since is not None and moment(manifest.last) < selection.since:
        return False
    return selection.until is None or moment(manifest.first) < selection.until


def _selected(record: dict[str, Any], selection: Selection) -> bool:
    began = moment(record["timestamp_start"])
    if selection.since is not None and began < selection.since:
        return False
    if selection.until is not None and began >= selection.until:
        return False
    names = selection.customers
    return names is None or record["customer_id"] in names or record["customer_phone"] in names
