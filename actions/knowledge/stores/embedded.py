"""The passages in this process, and in a file under STATE_DIR that outlives it: what needs nothing."""

import contextlib
import logging
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from actions.knowledge.stores.interface import Passage, Vectors

log = logging.getLogger(__name__)


class EmbeddedStore:
    """A PassageStore. Without a file it lasts as long as the process; a damaged file counts as none."""

    def __init__(self, file: Path | None, embedder: str) -> None:
        self._file, self._embedder = file, embedder
        self._vectors, self._sections = _read(file, embedder)
        self._searched: tuple[list[str], Vectors] | None = None

    def known(self, keys: Collection[bytes]) -> dict[bytes, Vectors]:
        """Those of the vectors that are there, by key."""
        return {key: self._vectors[key] for key in keys if key in self._vectors}

    def place(self, sections: Mapping[bytes, str]) -> None:
        """Note in which sections these stand."""
        moved = {key: section for key, section in sections.items() if section and self._sections[key] != section}
        self._sections |= moved
        if moved:
            self._changed()

    def put(self, passages: Sequence[Passage]) -> None:
        """Keep these, and write the file."""
        for one in passages:
            self._vectors[one.key], self._sections[one.key] = one.vector, one.section
        self._changed()

    def forget_others(self, keys: Collection[bytes]) -> int:
        """Delete all but these; how many."""
        others = self._vectors.keys() - set(keys)
        for key in others:
            del self._vectors[key], self._sections[key]
        if others:
            self._changed()
        return len(others)

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The sections of the nearest passages, by a look at each."""
        if self._searched is None:
            placed = [(section, self._vectors[key]) for key, section in self._sections.items() if section]
            rows = np.stack([row for _, row in placed]) if placed else np.zeros((0, len(vector)), np.float32)
            self._searched = [section for section, _ in placed], rows
        sections, rows = self._searched
        found: dict[str, None] = {}
        for at in np.argsort(-(rows @ vector), kind="stable"):
            found[sections[at]] = None
            if len(found) == count:
                break
        return list(found)

    def _changed(self) -> None:
        self._searched = None
        if self._file is not None and self._vectors:
            _write(self._file, self._embedder, self._vectors, self._sections)


def _read(file: Path | None, embedder: str) -> tuple[dict[bytes, Vectors], dict[bytes, str]]:
    """Vectors and sections by key; empty when there is no such file, it is damaged, or it is another embedder's."""
    if file is None or not file.exists():
        return {}, {}
    try:
        with np.load(file, allow_pickle=False) as stored:
            if str(stored["embedder"]) != embedder:
                return {}, {}
            rows = stored["rows"].astype(np.float32) * stored["scales"].astype(np.float32)[:, None]
            keys = [key.tobytes() for key in stored["keys"]]
            sections = stored["sections"].tolist() if "sections" in stored.files else [""] * len(keys)
            return dict(zip(keys, rows, strict=True)), dict(zip(keys, sections, strict=True))
    except Exception as error:  # any damage: it is only a memory
        log.warning("knowledge.embeddings.unreadable file=%s error=%s", file.name, type(error).__name__)
        return {}, {}


def _write(file: Path, embedder: str, vectors: dict[bytes, Vectors], sections: dict[bytes, str]) -> None:
    """Keep it in one byte a number (the error is far below the model's own), replacing the file at once."""
    keys = np.array([np.frombuffer(key, np.uint8) for key in vectors])
    rows = np.stack(list(vectors.values()))
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-9) / 127
    draft = file.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as out:
            whole = np.round(rows / scales[:, None]).astype(np.int8)
            np.savez(out, embedder=np.array(embedder), keys=keys, rows=whole, scales=scales.astype(np.float32),
                     sections=np.array([sections[key] for key in vectors]))  # fmt: skip
        os.replace(draft, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        log.warning("knowledge.embeddings.not_stored error=%s", type(error).__name__)
