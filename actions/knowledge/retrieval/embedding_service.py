"""Sentence embeddings by a service that speaks OpenAI's API: `POST {EMBEDDINGS_URL}/embeddings`.

What tells whether a section answers is fitted to the vectors of one model, multilingual E5 small. A service that serves
it is interchangeable with the one built in, which stands in while the service is away. Any other model needs a fit of
its own first (`relevance_training`).
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np

from actions.knowledge.pages.files import KnowledgeError
from actions.knowledge.retrieval.embedding import E5, Embedder, Vectors
from settings import Settings

log = logging.getLogger(__name__)

BUILT_IN = "multilingual-e5-small"
BATCH = 64
QUESTION_S, PAGES_S, CONNECT_S = 2.0, 30.0, 1.5
PAUSES_S = (0.5, 2.0, 8.0)  # before pages are sent again
COOLDOWN_S = 30.0  # a service that was away is not asked by customers' questions for so long
SAME_FROM = 0.9  # cosine of the same text by the same model, in whatever precision
_PROBE = "How many days do I have to return a kurta?"


def chosen_embedder(configured: Settings, redact: Callable[[str], str]) -> tuple[Embedder, Path | None]:
    """The embedder that the settings name, and the file of the fit to its vectors; None: the project's own."""
    if not configured.embeddings_url:
        return E5(), None
    model = str(configured.embeddings_model)
    same = model.lower().endswith(BUILT_IN)
    service = EmbeddingService(
        configured.embeddings_url, configured.embeddings_api_key, model, redact, E5() if same else None
    )
    return service, None if same else configured.state_path / "knowledge" / f"relevance-{service.name}.npz"


class ServiceAway(Exception):
    """The service gave no vectors; the message says why, and nothing of what was asked."""


class EmbeddingService:
    """An Embedder. `stand_in` gives the same vectors, for as long as the service is away; None where nothing does.

    `redact` takes personal data out of what customers ask. Raises KnowledgeError where there is no stand-in.
    """

    def __init__(
        self, url: str, key: str | None, model: str, redact: Callable[[str], str], stand_in: Embedder | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self.name = f"{re.sub(r'[^a-z0-9]+', '-', model.lower()).strip('-')}-service"
        self._model, self._redact, self._stand_in = model, redact, stand_in
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = f"{url.rstrip('/')}/embeddings"
        self._client = httpx.Client(headers=headers, transport=transport, trust_env=False, follow_redirects=False)
        self._marks = {"query": "query: ", "passage": "passage: "} if "e5" in model.lower() else {}
        self._away_until = 0.0
        self._is_same: bool | None = None if stand_in else True
        self._comparing = threading.Lock()

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        """Rows of length 1."""
        if kind == "query" and self._stand_in is not None and time.monotonic() < self._away_until:
            return self._stand_in.embed(texts, kind)
        try:
            if not self._gives_the_same():
                raise ServiceAway(f"its {self._model} is another model than {BUILT_IN}; see EMBEDDINGS_MODEL")
            return self._asked(texts, kind)
        except ServiceAway as error:
            self._away_until = time.monotonic() + COOLDOWN_S
            log.warning("knowledge.embeddings.away kind=%s why=%s stand_in=%s", kind, error, bool(self._stand_in))
            if self._stand_in is None:
                raise KnowledgeError(f"the embedding service gives no vectors ({error}). "
                                     "Remedy: see that EMBEDDINGS_URL answers.") from None  # fmt: skip
            return self._stand_in.embed(texts, kind)

    def try_once(self) -> int:
        """How long its vectors are. Raises ServiceAway."""
        return int(self._post([self._marks.get("query", "") + _PROBE], QUESTION_S).shape[1])

    def _gives_the_same(self) -> bool:
        """Whether it serves the model that its name promises, looked at once; vectors of two models do not mix."""
        if self._is_same is None and self._stand_in is not None:
            with self._comparing:
                theirs, ours = self._asked([_PROBE], "query"), self._stand_in.embed([_PROBE], "query")
                self._is_same = theirs.shape == ours.shape and float(theirs[0] @ ours[0]) >= SAME_FROM
        return bool(self._is_same)

    def _asked(self, texts: Sequence[str], kind: str) -> Vectors:
        mark = self._marks.get(kind, "")
        if kind == "query":
            return self._post([mark + self._redact(text) for text in texts], QUESTION_S)
        batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        return np.concatenate([self._repeatedly([mark + text for text in batch]) for batch in batches])

    def _repeatedly(self, texts: list[str]) -> Vectors:
        for pause in PAUSES_S:
            try:
                return self._post(texts, PAGES_S)
            except ServiceAway as error:
                log.info("knowledge.embeddings.again why=%s", error)
                time.sleep(pause)
        return self._post(texts, PAGES_S)

    def _post(self, texts: list[str], timeout_s: float) -> Vectors:
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
        try:
            answer = self._client.post(self._url, json=body, timeout=timeout)
        except httpx.HTTPError as error:
            raise ServiceAway(type(error).__name__) from None
        if answer.status_code != 200:
            raise ServiceAway(f"HTTP {answer.status_code}")
        try:
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ServiceAway("its answer is none") from None
        if len(vectors) != len(texts) or not np.isfinite(vectors).all() or not (lengths > 0).all():
            raise ServiceAway("its vectors are none")
        unit: Vectors = vectors / lengths
        return unit
