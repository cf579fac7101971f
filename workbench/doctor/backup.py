"""`python -m workbench.doctor.backup make|restore FILE`: what one machine keeps in STATE_DIR, as one file.

The assistant is stopped meanwhile, which loses nothing: Meta delivers again. What is kept elsewhere (REDIS_URL, a
database server, buckets) has backups of its own; `make` names it. Secrets of `.env` are not in the file, customers'
words are.
"""

import argparse
import fcntl
import hashlib
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

import settings as settings_module
import signals
from launch.console import LaunchError, done, fail, say
from settings import Settings, SettingsError

MANIFEST = "manifest.json"
NOT_KEPT = frozenset({"metrics", "ready", "cache", "models", "redis.url", "shops", "python", "tools"})
"""What is made anew at each start, the states of other shops, which have backups of their own, and what `.venv` stands
on: a Python that uv fetched, whose links no backup keeps."""
ASIDE = "before-restore-"
_SQLITE_BESIDE = ("-wal", "-shm", "-journal", ".lock")


def make(settings: Settings, target: Path) -> list[str]:
    """Write the backup. Returns what is not in it, as sentences. Raises LaunchError."""
    state = settings.state_path
    if target.exists():
        raise LaunchError(f"{target} is there already. Remedy: another name, or remove it.")
    partial = target.with_name(f"{target.name}.part")
    with _stopped(state), tempfile.TemporaryDirectory(dir=state) as temporary:
        try:
            files = {name: _settled(path, Path(temporary)) for name, path in _files(state)}
            manifest = {"made_at": time.time(), "files": {name: _digest(path) for name, path in files.items()}}
            with open(partial, "xb", opener=_private) as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
                _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
                for name, path in files.items():
                    archive.add(path, name, recursive=False)
            partial.rename(target)
        except (OSError, sqlite3.Error) as error:
            partial.unlink(missing_ok=True)
            raise LaunchError(f"{target} cannot be written ({error}). Remedy: another place, or more room.") from None
    return list(_elsewhere(settings))


def restore(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of what is in STATE_DIR; the folder with what was there before. Raises LaunchError."""
    state = settings.state_path
    with _stopped(state), tempfile.TemporaryDirectory(dir=state, prefix=".restoring-") as temporary:
        try:
            _unpack(source, Path(temporary))
        except (OSError, EOFError, tarfile.TarError, ValueError) as error:
            raise LaunchError(f"{source} is no whole backup ({error}). Nothing was changed. Remedy: another.") from None
        aside = state / time.strftime(f"{ASIDE}%Y%m%d-%H%M%S")
        before = {name.split("/")[0] for name, _ in _files(state)}
        before |= {path.name for path in state.iterdir() if path.name.endswith(_SQLITE_BESIDE[:3])}
        for name in sorted(before):
            aside.mkdir(mode=0o700, exist_ok=True)
            (state / name).rename(aside / name)
        for path in sorted(Path(temporary).iterdir()):
            path.rename(state / path.name)
    return aside if before else None


@contextmanager
def _stopped(state: Path) -> Iterator[None]:
    """Hold the lock that a running assistant holds. Raises LaunchError."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (state / ".lock").open("wb")
    except OSError as error:
        raise LaunchError(f"STATE_DIR {state} cannot be written ({error.strerror}). Remedy: another.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError(f"The assistant runs in {state}. Remedy: stop it first; Meta delivers again.") from None
        yield


def _files(state: Path) -> list[tuple[str, Path]]:
    """Name below STATE_DIR → file, of all that is worth keeping."""
    found = []
    for path in sorted(state.rglob("*")):
        parts = path.relative_to(state).parts
        if parts[0] in NOT_KEPT or parts[0].startswith((ASIDE, ".restoring-", "tmp")):
            continue
        if path.is_file() and not path.is_symlink() and not path.name.endswith((*_SQLITE_BESIDE, ".log")):
            found.append(("/".join(parts), path))
    return found


def _settled(path: Path, temporary: Path) -> Path:
    """The file itself; of an SQLite database a copy that needs no other file beside it."""
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return path
    copy = temporary / hashlib.sha256(str(path).encode()).hexdigest()
    with closing(sqlite3.connect(path)) as database, closing(sqlite3.connect(copy)) as settled:
        database.backup(settled)
    copy.chmod(path.stat().st_mode & 0o777)
    return copy


def _unpack(source: Path, folder: Path) -> None:
    """Raises ValueError for anything but the files of the manifest, each as it was."""
    with tarfile.open(source, "r:gz") as archive:
        first = archive.next()
        written = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
        if written is None:
            raise ValueError("it has no manifest")
        expected: dict[str, str] = dict(json.loads(written.read())["files"])
        while (member := archive.next()) is not None:
            name = PurePosixPath(member.name)
            if not member.isreg() or name.is_absolute() or ".." in name.parts or member.name not in expected:
                raise ValueError(f"{member.name} does not belong there")
            archive.extract(member, folder, filter="data")
            if _digest(folder / member.name) != expected.pop(member.name):
                raise ValueError(f"{member.name} is damaged")
    if expected:
        raise ValueError(f"{next(iter(expected))} is missing")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), int(time.time())
    archive.addfile(member, io.BytesIO(content))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _elsewhere(settings: Settings) -> Iterator[str]:
    if settings.values["REDIS_URL"]:
        yield "the Redis of REDIS_URL: its own append-only file or snapshot"
    for name in ("CONVERSATION_DATABASE_URL", "ORDERS_DATABASE_URL"):
        url = str(settings.values[name])
        if not url.startswith(f"sqlite:///{settings.state_path}/"):
            yield f"the database of {name}: " + ("its file" if url.startswith("sqlite") else "pg_dump, mysqldump")
    for name in ("ARCHIVE_URL", "MEDIA_URL"):
        place = settings.values[name]
        if place and not place.startswith(settings.state_path.as_uri()):
            yield f"what is at {name}: the bucket's own versions or copies"


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m workbench.doctor.backup", description=__doc__)
    parser.add_argument("what", choices=["make", "restore"])
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        settings = settings_module.load()
        if given.what == "make":
            for left_out in make(settings, given.file):
                say(f"Not in it: {left_out}.")
            done(f"Everything in {settings.state_path} is in {given.file} ({given.file.stat().st_size // 1024} KiB).")
        else:
            aside = restore(settings, given.file)
            done(f"{settings.state_path} is as it was in {given.file}." + (f" Before: {aside}." if aside else ""))
    except (LaunchError, SettingsError) as error:
        fail(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
