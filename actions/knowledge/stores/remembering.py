"""An embedder that remembers the texts of the pages in a passage store, and finds the sections near to a question."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actions.knowledge.pages.files import KnowledgeError
from actions.knowledge.retrieval.embedding import Embedder
from actions.knowledge.stores.embedded import EmbeddedStore
from actions.knowledge.stores.interface import Passage, PassageStore, StoreAway, Vectors
from settings import Settings

log = logging.getLogger(__name__)

Text = tuple[str, str, str]  # kind (query, passage), text, its section's key


class RememberingEmbedder:
    """As the embedder beneath; a text of the pages is embedded once. A store that is away costs embedding, no more."""

    def __init__(self, embedder: Embedder, folder: Path | None, store: PassageStore | None = None) -> None:
        """`folder`: where the memory outlives the process, unless `store` keeps it."""
        self.name = embedder.name
        file = folder / f"embeddings-{embedder.name}.npz" if folder else None
        self._embedder = embedder
        self._own = EmbeddedStore(file if store is None else None, embedder.name)
        self._store = store

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """Rows as of the embedder beneath; only texts that were never seen cost anything."""
        return self.keep([(kind, text, "") for text in texts])

    def keep(self, texts: Sequence[Text], forget_others: bool = False) -> Vectors:
        """The vectors of the pages' texts, from now on with their sections; all others may be forgotten."""
        keys = [_key(kind, text) for kind, text, _ in texts]
        known = self._own.known(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            self._learn(new)
        self._own.place({key: section for key, (_, _, section) in zip(keys, texts, strict=True)})
        if forget_others:
            self._own.forget_others(keys)
            self._ask(lambda store: store.forget_others(keys))
        found = self._own.known(keys)
        return np.stack([found[key] for key in keys])

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The sections (at most `count`) with the passages nearest to the vector, the nearest first."""
        return self._ask(lambda store: store.nearest(vector, count)) or self._own.nearest(vector, count)

    def _learn(self, new: dict[bytes, Text]) -> None:
        vectors = self._ask(lambda store: store.known(new)) or {}
        unknown = {key: text for key, text in new.items() if key not in vectors}
        for kind in dict.fromkeys(kind for kind, _, _ in unknown.values()):
            own = {key: text for key, (of, text, _) in unknown.items() if of == kind}
            vectors |= dict(zip(own, self._embedder.embed(list(own.values()), kind), strict=True))
        passages = [Passage(key, section, text, vectors[key]) for key, (_, text, section) in new.items()]
        self._own.put(passages)
        added = [one for one in passages if one.key in unknown]
        if added:
            self._ask(lambda store: store.put(added))

    def _ask(self, question: Callable[[PassageStore], Any]) -> Any:
        if self._store is None:
            return None
        try:
            return question(self._store)
        except StoreAway as error:
            log.warning("knowledge.store.away why=%s", error)
            return None


def chosen_store(configured: Settings, shop: str, embedder: str) -> PassageStore | None:
    """The store that PASSAGE_STORE_URL names; None: a file under STATE_DIR. Raises KnowledgeError."""
    url = configured.passage_store_url or ""
    if not url:
        return None
    if url.lower().startswith("postgres"):
        from actions.knowledge.stores.pgvector import PgVectorStore

        return PgVectorStore(url, shop, embedder)
    scheme, _, host = url.partition("+")
    if scheme.lower() == "pinecone" and host.startswith(("https://", "http://")) and configured.pinecone_api_key:
        from actions.knowledge.stores.pinecone import PineconeStore

        return PineconeStore(host.rstrip("/"), configured.pinecone_api_key, shop, embedder)
    raise KnowledgeError("PASSAGE_STORE_URL cannot be used. Remedy: postgresql://user:password@host:5432/name (with "
                         "pgvector), or pinecone+https://<the index's host> with PINECONE_API_KEY.")  # fmt: skip


def _key(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=16).digest()
