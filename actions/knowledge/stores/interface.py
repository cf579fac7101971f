"""What the retriever asks of a passage store. Each adapter is one module; one test suite holds for all of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class StoreAway(Exception):
    """The store does not answer, or refuses. The message says why, and nothing of what is kept in it."""


@dataclass(frozen=True)
class Passage:
    """A text of the pages. `vector` has length 1; `section` is the key of its section, '' for what is no passage."""

    key: bytes
    section: str
    text: str
    vector: Vectors


class PassageStore(Protocol):
    """The passages of one shop in the vectors of one embedder. Methods block and raise StoreAway.

    It is a memory that many processes share: what it has lost is embedded anew.
    """

    def known(self, keys: Collection[bytes]) -> dict[bytes, Vectors]:
        """Those of the vectors that are there, by key."""
        ...

    def put(self, passages: Sequence[Passage]) -> None:
        """Keep these; one that is there is replaced."""
        ...

    def forget_others(self, keys: Collection[bytes]) -> int:
        """Delete all but these, which are what the pages say now; how many."""
        ...

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The sections (at most `count`) with the passages nearest to the vector, the nearest first, each once."""
        ...
