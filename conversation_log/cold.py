"""The cold tier: Parquet files, partitioned by the day on which conversations ended, and one manifest a file.

    conversations/date=2026-08-01/part-3f….parquet    zstd, one row a conversation with its messages nested
    manifests/date=2026-08-01/part-3f….json           counts, hashes, state

A manifest is what makes a file part of the archive: a Parquet file without one is the remains of a run that was
killed, and is never read. State `copied` means that the warm rows may still exist, `done` that they are gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from conversation_log.columns import SCHEMA, as_row, from_row
from conversation_log.database import LogUnavailable
from conversation_log.reader import Selection

FORMAT = 1
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


class Shelf:
    """The archive at one address. Methods raise LogUnavailable when it cannot be read or written."""

    def __init__(self, filesystem: fs.FileSystem, root: str) -> None:
        self._fs, self._root = filesystem, root.rstrip("/")

    @classmethod
    def at(cls, url: str) -> Shelf:
        """The archive at a `file://`, `s3://` or `gs://` URI."""
        try:
            filesystem, root = fs.FileSystem.from_uri(url)
        except (pa.ArrowInvalid, OSError) as error:
            raise LogUnavailable(f"ARCHIVE_URL cannot be used: {error}") from error
        return cls(filesystem, root)

    # -- manifests

    def manifests(self) -> list[Manifest]:
        """All files of the archive, by day. A file that another one replaces is left out."""
        selector = fs.FileSelector(self._at("manifests"), recursive=True, allow_not_found=True)
        found = []
        for info in self._fs.get_file_info(selector):
            if info.type == fs.FileType.File and info.path.endswith(".json"):
                found.append(_manifest(self._read(info.path)))
        replaced = {manifest.replaces for manifest in found}
        return sorted((m for m in found if m.name not in replaced), key=lambda m: (m.date, m.name))

    def write_manifest(self, manifest: Manifest) -> None:
        """Put a manifest in place, whole or not at all."""
        self._write(manifest.path, json.dumps(asdict(manifest), indent=1).encode())

    def finish(self, manifest: Manifest) -> None:
        """Note that the warm rows are gone."""
        self.write_manifest(replace(manifest, state="done"))

    def unfinished_ids(self) -> set[str]:
        """The conversations that may be in both tiers right now."""
        return {
            log_id for manifest in self.manifests() if manifest.state == "copied" for log_id in self.ids(manifest)
        }

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
        found = [from_row(row) for row in pq.read_table(pa.BufferReader(body)).to_pylist()]
        if hashlib.sha256(body).hexdigest() != manifest.sha256 or contents_hash(found) != manifest.contents:
            raise LogUnavailable(f"What was read back from {manifest.data_path} is not what was written.")

    def ids(self, manifest: Manifest) -> list[str]:
        """The log ids in a file."""
        with self._fs.open_input_file(self._at(manifest.data_path)) as source:
            return list(pq.read_table(source, columns=["log_id"])["log_id"].to_pylist())

    def names_in(self, manifest: Manifest) -> set[str]:
        """The customers' ids and phones in a file."""
        with self._fs.open_input_file(self._at(manifest.data_path)) as source:
            table = pq.read_table(source, columns=["customer_id", "customer_phone"])
        return {name for column in table.columns for name in column.to_pylist() if name}

    def rows(self, manifest: Manifest) -> Iterator[dict[str, Any]]:
        """The records of a file."""
        with self._fs.open_input_file(self._at(manifest.data_path)) as source:
            for batch in pq.ParquetFile(source).iter_batches(batch_size=ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield from_row(row)

    def records(
        self, selection: Selection, without: Collection[str] = (), only: Collection[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The archived records of a selection; files that cannot hold any are not opened."""
        for manifest in self.manifests():
            if not _may_hold(manifest, selection):
                continue
            for record in self.rows(manifest):
                if record["log_id"] in without or (only is not None and record["log_id"] not in only):
                    continue
                if _selected(record, selection):
                    yield record

    def remove(self, manifest: Manifest) -> None:
        """Take a file out of the archive: the manifest first, so that nobody reads what is half gone."""
        self._delete(manifest.path)
        self._delete(manifest.data_path)

    def sweep(self) -> int:
        """Delete what killed runs left: data without manifest, files that were replaced. Returns how many."""
        live = self.manifests()
        wanted = {self._at(path) for manifest in live for path in (manifest.path, manifest.data_path)}
        swept = 0
        for folder in ("manifests", "conversations"):
            selector = fs.FileSelector(self._at(folder), recursive=True, allow_not_found=True)
            for info in self._fs.get_file_info(selector):
                if info.type == fs.FileType.File and info.path not in wanted:
                    self._fs.delete_file(info.path)
                    swept += 1
        return swept

    # -- files

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _read(self, path: str) -> bytes:
        try:
            with self._fs.open_input_stream(path) as source:
                return bytes(source.read())
        except OSError as error:
            raise LogUnavailable(f"The archive cannot be read: {error}") from error

    def _write(self, path: str, body: bytes) -> None:
        """Object stores show a file when it is complete; on disks it gets its name when it is."""
        target = self._at(path)
        local = isinstance(self._fs, fs.LocalFileSystem)
        try:
            if local:
                self._fs.create_dir(target.rpartition("/")[0], recursive=True)
            written = f"{target}.part" if local else target
            with self._fs.open_output_stream(written, compression=None) as sink:
                sink.write(body)
            if local:
                self._fs.move(written, target)
        except OSError as error:
            raise LogUnavailable(f"The archive cannot be written: {error}") from error

    def _delete(self, path: str) -> None:
        try:
            self._fs.delete_file(self._at(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise LogUnavailable(f"The archive cannot be changed: {error}") from error


def contents_hash(records: list[dict[str, Any]]) -> str:
    """A hash over conversations that does not depend on their order or on how the file is compressed."""
    return hashlib.sha256("\n".join(sorted(map(canonical, records))).encode()).hexdigest()


def canonical(record: dict[str, Any]) -> str:
    """A record as one line that equal records share."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False)


def _manifest(body: bytes) -> Manifest:
    try:
        return Manifest(**json.loads(body))
    except (ValueError, TypeError) as error:
        raise LogUnavailable(f"A manifest of the archive is damaged: {error}") from error


def _may_hold(manifest: Manifest, selection: Selection) -> bool:
    if selection.since is not None and datetime.fromisoformat(manifest.last.replace("Z", "+00:00")) < selection.since:
        return False
    first = datetime.fromisoformat(manifest.first.replace("Z", "+00:00"))
    return selection.until is None or first < selection.until


def _selected(record: dict[str, Any], selection: Selection) -> bool:
    began = datetime.fromisoformat(record["timestamp_start"].replace("Z", "+00:00"))
    if selection.since is not None and began < selection.since:
        return False
    if selection.until is not None and began >= selection.until:
        return False
    names = selection.customers
    return names is None or record["customer_id"] in names or record["customer_phone"] in names
