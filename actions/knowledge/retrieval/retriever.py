"""Finding the sections that answer a question, and knowing when none does.

The pages are read, embedded and indexed once (relevance.py says with what); a question then costs its embedding and a
few milliseconds. An edited page is indexed in a thread while questions are answered from the pages as they were. Of
very many sections (LARGE) only those nearest to the question in meaning are weighed, as the passage store finds them.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

import settings
from actions.knowledge.pages.documents import KnowledgeError, PolicyPages, Section, load_pages, page_files
from actions.knowledge.retrieval.embedding import Embedder, Vectors
from actions.knowledge.retrieval.embedding_service import chosen_embedder
from actions.knowledge.retrieval.experience import Numbers
from actions.knowledge.retrieval.follow_up import Before, numbers_of
from actions.knowledge.retrieval.relevance import Fitted, Pages, fitted, texts_of
from actions.knowledge.retrieval.wording import Wording
from actions.knowledge.stores.interface import PassageStore
from actions.knowledge.stores.remembering import RememberingEmbedder, chosen_store
from privacy.redaction import redact

log = logging.getLogger(__name__)

CANDIDATES = 4
ANSWERABLE_FROM = 0.5
LARGE, NEAREST = 1500, 60  # sections: from so many on, only so many are weighed


@dataclass(frozen=True)
class Passage:
    """A section and how probably it answers the question, 0 to 1."""

    section: Section
    probability: float


@dataclass(frozen=True)
class Earlier:
    """The question before: its words, and where its answer was sought (section key and probability, best first).

    Without `passages` they are sought again.
    """

    question: str
    passages: tuple[tuple[str, float], ...] | None = None


@dataclass(frozen=True)
class Finding:
    """What is known of a question. `score` is the probability that the pages answer it, `passages` best first.

    `question` is how it was read: with the one before it where it leans on that.
    """

    question: str
    passages: tuple[Passage, ...] = ()
    score: float = 0.0
    answerable: bool = False

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections of the passages, best first."""
        return tuple(passage.section for passage in self.passages)

    @property
    def best(self) -> Section | None:
        """The section to quote, also when the score is too low to quote it."""
        return self.passages[0].section if self.passages else None


@dataclass(frozen=True)
class _Snapshot:
    """All that is derived from one version of the files; replaced as a whole."""

    files: tuple[tuple[str, int, int], ...]
    pages: PolicyPages
    wording: Wording
    index: _Index | None  # of all sections; None where they are too many


@dataclass(frozen=True)
class _Index:
    """The sections among which a question is answered, by place, and what is taken from them."""

    sections: Sequence[Section]
    taken: Pages


class Retriever:
    """Searches the pages of `folder`; an edited page is read again without a restart.

    `memory` is a folder in which the embeddings of the pages outlive the process. With `wait` a question after an edit
    waits for the new pages, otherwise it is answered from the old ones while a thread reads the new.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        memory: Path | None = None,
        model: Fitted | None = None,
        wait: bool = False,
        store: PassageStore | None = None,
    ) -> None:
        self._folder, self._embedder, self._model, self._wait = folder, embedder, model, wait
        # Only what the pages say is kept on disk, never what a customer asked.
        self._texts = RememberingEmbedder(embedder, memory, store)
        self._near = lru_cache(maxsize=8)(self._taken)
        self._snapshot: _Snapshot | None = None
        self._refused: tuple[tuple[str, int, int], ...] = ()  # files that could not be read as they were
        self._indexing = threading.Lock()
        self._recent = lru_cache(maxsize=256)(self._vector)

    @property
    def pages(self) -> PolicyPages:
        """The pages in force. Raises KnowledgeError when they were never readable."""
        return self._current().pages

    def find(self, question: str, earlier: Earlier | None = None) -> Finding:
        """The best sections for `question` and whether they answer it, after `earlier`. Raises KnowledgeError."""
        snapshot = self._current()
        readable = snapshot.wording.readable(question)
        if not any(letter.isalnum() for letter in readable):
            return Finding(question)
        before = snapshot.wording.readable(earlier.question) if earlier else ""
        if earlier and any(letter.isalnum() for letter in before):
            return self._find_after(snapshot, question, readable, before, earlier)
        vectors = self._recent(readable)[None]
        index = self._index_for(snapshot, vectors)
        return _finding(index, question, index.taken.probabilities([readable], vectors)[0])

    def _find_after(
        self, snapshot: _Snapshot, question: str, readable: str, before: str, earlier: Earlier
    ) -> Finding:
        """As `find`, with the question alone and behind the one before it."""
        model, together = self._model or fitted(), f"{before} {readable}"
        vectors = np.stack([self._recent(text) for text in (readable, together, before)])
        near = self._index_for(snapshot, vectors, earlier.passages or ())
        index = near.taken
        alone, joined = index.readings([readable, together], vectors[:2])
        sought = _sought(near.sections, earlier.passages)
        if sought is None:
            sought = index.probabilities([before], vectors[2:])[0]
        seen = numbers_of(
            alone, joined, Before(vectors[2], sought), vectors[0], len(readable.split()), index.texts, index.page_of
        )
        if joined.answered > alone.answered:
            question = f"{earlier.question} {question}"
        return _finding(near, question, model.follow_up.choose(*seen))

    def _index_for(
        self, snapshot: _Snapshot, vectors: Vectors, earlier: Sequence[tuple[str, float]] = ()
    ) -> _Index:
        """Of all sections; of very many, of those near to any of the vectors and those of the question before."""
        if snapshot.index is not None:
            return snapshot.index
        near = [key for vector in vectors for key in self._texts.nearest(vector, NEAREST)]
        wanted = dict.fromkeys([*near, *(key for key, _ in earlier)])
        found = tuple(section for section in snapshot.pages.sections if section.key in wanted)
        return self._near(found or snapshot.pages.sections[:NEAREST])

    def _taken(self, sections: Sequence[Section]) -> _Index:
        return _Index(sections, Pages(sections, self._texts.embed, self._model or fitted()))

    def readable(self, question: str) -> str:
        """The question in the words in which it is searched."""
        return self._current().wording.readable(question)

    def _vector(self, readable: str) -> Vectors:
        return self._embedder.embed([readable], "query")[0]

    def _current(self) -> _Snapshot:
        """The snapshot in force. The first one is waited for; later ones come from a thread, one at a time."""
        snapshot, files = self._snapshot, _listing(self._folder)
        if snapshot is None or (self._wait and files not in (snapshot.files, self._refused)):
            with self._indexing:
                if self._snapshot is None or self._snapshot.files != files:
                    self._renew(files)
                return self._snapshot or snapshot or self._index(files)
        if files not in (snapshot.files, self._refused) and self._indexing.acquire(blocking=False):
            threading.Thread(target=self._renew_and_release, args=(files,), name="policy-pages", daemon=True).start()
        return snapshot

    def _renew_and_release(self, files: tuple[tuple[str, int, int], ...]) -> None:
        try:
            self._renew(files)
        finally:
            self._indexing.release()

    def _renew(self, files: tuple[tuple[str, int, int], ...]) -> None:
        """Put the pages as they are in force; an edit that cannot be read leaves the last good ones."""
        try:
            self._snapshot = self._index(files)
            log.info("knowledge.index.built sections=%d", len(self._snapshot.pages.sections))
        except KnowledgeError as error:
            if self._snapshot is None:
                raise
            log.error("knowledge.pages.invalid still_serving=previous problem=%s", error)
            self._refused = files

    def _index(self, files: tuple[tuple[str, int, int], ...]) -> _Snapshot:
        pages = load_pages(self._folder)
        every = [(*text, section.key) for section in pages.sections for text in texts_of(section)]
        self._texts.keep([(kind, text, place if kind == "passage" else "") for kind, text, place in every], True)
        index = self._taken(pages.sections) if len(pages.sections) < LARGE else None
        return _Snapshot(files, pages, Wording(pages.lexicon), index)


def _finding(index: _Index, question: str, chosen: Numbers) -> Finding:
    order = chosen[:-1].argsort()[::-1][:CANDIDATES]
    passages = tuple(Passage(index.sections[n], round(float(chosen[n]), 4)) for n in order)
    score = round(float(1 - chosen[-1]), 4)
    return Finding(question, passages, score, score >= ANSWERABLE_FROM)


def _sought(sections: Sequence[Section], passages: Sequence[tuple[str, float]] | None) -> Numbers | None:
    """The probabilities of all sections and, last, of none, from the best ones; None where these are not known."""
    if passages is None:
        return None
    places = {section.key: place for place, section in enumerate(sections)}
    sought = np.zeros(len(places) + 1)
    for key, probability in passages:
        if key in places:  # the page may have been edited since
            sought[places[key]] = probability
    sought[-1] = max(0.0, 1 - sought.sum())
    return sought


def _listing(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Path, time and size of every file that the answers depend on; empty where the folder cannot be read."""
    try:
        paths = page_files(folder)
    except KnowledgeError:
        return ()
    listed = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        listed.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(listed)


def default_retriever(wait: bool = False) -> Retriever:
    """The shop's pages, embeddings remembered under STATE_DIR, each shop's apart. Raises KnowledgeError."""
    configured = settings.load()
    folder = configured.shop_path / "policy_kb"
    shop = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    embedder, fit = chosen_embedder(configured, redact)
    if fit is not None and not fit.is_file():
        raise KnowledgeError(
            f"what tells whether a section answers is not fitted to {configured.embeddings_model} yet. Remedy: "
            "python -m actions.knowledge.retrieval.relevance_training, once, with these settings."
        )
    memory = configured.state_path / "knowledge" / shop
    store = chosen_store(configured, shop, embedder.name)
    return Retriever(folder, embedder, memory, fitted(fit) if fit else None, wait, store)
