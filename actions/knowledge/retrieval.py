"""Finding the section that answers a question, and knowing when none does.

Every section is represented by its text and by the ways in which customers ask for it; questions that the pages do
not answer stand beside them. A question's likeness to each entry fuses meaning (embedding) and words (TF-IDF over words
and character n-grams); entries then vote (voting.py). The balance between the sections and the questions not covered,
calibrated on questions of our own (tests/knowledge), is the score.

`python -m actions.knowledge.retrieval --jsonl` reads {"question"} lines and prints {"page", "section", "score",
"answerable"} lines.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import signals
from actions.knowledge.documents import KnowledgeError, PolicyPages, Section, load_pages
from actions.knowledge.embedding import E5, Embedder, RememberingEmbedder, Vectors
from actions.knowledge.index import EMBED_AS, EmbeddedVectorIndex, Entry, LexicalIndex, Scores, VectorIndex, entries_of
from actions.knowledge.voting import Calibration, count, learn
from actions.knowledge.wording import Wording

log = logging.getLogger(__name__)

FEWEST_TO_CENTRE = 30
CANDIDATES = 4
SHIPPED = "embeddings.npz"


@dataclass(frozen=True)
class Finding:
    """What is known of a question. `score` is the probability that the pages answer it, `sections` best first."""

    question: str
    sections: tuple[Section, ...] = ()
    score: float = 0.0
    answerable: bool = False

    @property
    def best(self) -> Section | None:
        """The section to quote, also when the score is too low to quote it."""
        return self.sections[0] if self.sections else None


@dataclass(frozen=True)
class _Snapshot:
    """All that is derived from one version of the pages; replaced as a whole."""

    pages: PolicyPages
    wording: Wording
    entries: list[Entry]
    words: LexicalIndex
    characters: LexicalIndex
    centre: Vectors | None
    learnt: Vectors
    owners: NDArray[np.intp]
    page_of: tuple[str, ...]
    handicap: Scores


class Retriever:
    """Searches the pages of `folder`; an edited page counts from the next question on, without a restart.

    `memory` is a folder in which the entries' embeddings outlive the process; `shipped` is a file of them that comes
    with the pages.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        memory: Path | None = None,
        shipped: Path | None = None,
        vectors: VectorIndex | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self._folder = folder
        self._questions = embedder
        # Only what the pages say is kept on disk, never what a customer asked.
        self._texts = RememberingEmbedder(embedder, memory, shipped)
        self._vectors = vectors or EmbeddedVectorIndex()
        self.calibration = calibration or Calibration()
        self._snapshot: _Snapshot | None = None
        self._files: tuple[tuple[str, int, int], ...] = ()
        self._lock = threading.Lock()

    @property
    def pages(self) -> PolicyPages:
        """The pages as they are now. Raises KnowledgeError when they were never readable."""
        return self._current().pages

    def find(self, question: str) -> Finding:
        """The best sections for `question` and whether they answer it. Raises KnowledgeError."""
        with self._lock:
            snapshot = self._current()
            readable = snapshot.wording.readable(snapshot.wording.clean(question))
            if not any(letter.isalnum() for letter in readable):
                return Finding(question)
            vector = self._vector(snapshot, readable)
            likeness = self._likeness(snapshot, readable, vector)
            ballot = count(likeness, vector @ snapshot.learnt, snapshot.owners, snapshot.page_of, self.calibration)
            best = tuple(snapshot.pages.sections[place] for place in ballot.order[:CANDIDATES])
            answerable = ballot.score >= self.calibration.answerable_from
            return Finding(question, best, round(ballot.score, 4), answerable)

    def readable(self, question: str) -> str:
        """The question in the words in which it is searched."""
        wording = self._current().wording
        return wording.readable(wording.clean(question))

    def _vector(self, snapshot: _Snapshot, readable: str) -> Vectors:
        vector = self._questions.embed([readable], "query")[0]
        return vector if snapshot.centre is None else _unit(vector - snapshot.centre)

    def _likeness(self, snapshot: _Snapshot, readable: str, vector: Vectors) -> Scores:
        """How like each entry the question is, about 0 to 1.2; one outside the nearest counts as the last of them."""
        nearest = self._vectors.nearest(vector, len(snapshot.entries))
        likeness = np.full(len(snapshot.entries), nearest[-1][1] if nearest else 0.0, np.float32)
        for entry, cosine in nearest:
            likeness[entry] = cosine
        tuned = self.calibration
        likeness += tuned.character_weight * snapshot.characters.scores(readable)
        likeness += tuned.word_weight * snapshot.words.scores(readable)
        return likeness - snapshot.handicap

    def _current(self) -> _Snapshot:
        """The snapshot of the files as they are; an edit that cannot be read leaves the last good one in force."""
        files = _listing(self._folder)
        if self._snapshot is not None and files == self._files:
            return self._snapshot
        try:
            self._snapshot = self._index(load_pages(self._folder))
            log.info("knowledge.index.built sections=%d", len(self._snapshot.pages.sections))
        except KnowledgeError as error:
            if self._snapshot is None:
                raise
            log.error("knowledge.pages.invalid still_serving=previous problem=%s", error)
        self._files = files
        return self._snapshot

    def _index(self, pages: PolicyPages) -> _Snapshot:
        wording = wording_of(pages)
        entries = entries_of(pages, wording)
        rows = self._embed_entries(entries)
        asked = np.array([entry.kind == "asked" for entry in entries])
        centre = None
        if len(entries) >= FEWEST_TO_CENTRE:
            # E5's vectors share a large common part; without it the differences count.
            centre = rows[asked].mean(axis=0)
            rows = np.where(asked[:, None], rows - centre, rows - rows[~asked].mean(axis=0))
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        self._vectors.replace(pages.version, rows.astype(np.float32))
        texts = [entry.text for entry in entries]
        none = len(pages.sections)
        return _Snapshot(
            pages,
            wording,
            entries,
            LexicalIndex(texts, characters=False),
            LexicalIndex(texts, characters=True),
            centre,
            learn(rows.astype(np.float32), entries, none, self.calibration.ridge),
            np.array([none if entry.section is None else entry.section for entry in entries]),
            tuple(section.page for section in pages.sections),
            np.where(asked, 0, self.calibration.text_handicap).astype(np.float32),
        )

    def _embed_entries(self, entries: list[Entry]) -> Vectors:
        rows: dict[int, Vectors] = {}
        for kind, as_kind in EMBED_AS.items():
            places = [place for place, entry in enumerate(entries) if entry.kind == kind]
            if places:
                vectors = self._texts.embed([entries[place].text for place in places], as_kind)
                rows.update(zip(places, vectors, strict=True))
        return np.stack([rows[place] for place in range(len(entries))])


def wording_of(pages: PolicyPages) -> Wording:
    clean = Wording(pages.lexicon, ()).clean
    corpus = [clean(text) for s in pages.sections for text in (s.heading, s.text, *s.asked_as)]
    corpus += [clean(question) for question in pages.not_covered]
    return Wording(pages.lexicon, [*corpus, *pages.lexicon.hinglish.values()])


def _unit(vector: Vectors) -> Vectors:
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _listing(folder: Path) -> tuple[tuple[str, int, int], ...]:
    listed = []
    for path in sorted([*folder.glob("*.md"), *folder.glob("*.yml")]):
        try:
            status = path.stat()
        except OSError:
            continue
        listed.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(listed)


def default_retriever() -> Retriever:
    """The project's own pages, embeddings remembered under STATE_DIR."""
    import settings

    folder = settings.load().shop_path / "policy_kb"
    memory = settings.load().state_path / "knowledge"
    return Retriever(folder, E5(), memory=memory, shipped=folder / SHIPPED)


def answer_lines(lines: Iterable[str], find: Callable[[str], Finding]) -> Iterator[str]:
    """One JSON line out for each line in; a line that is no {"question": text} gets an unanswerable one."""
    for line in lines:
        try:
            asked = json.loads(line)
            question = asked["question"] if isinstance(asked, dict) else None
            finding = find(question) if isinstance(question, str) else Finding("")
        except (ValueError, KeyError, RecursionError) as error:
            log.warning("knowledge.adapter.bad_line error=%s", type(error).__name__)
            finding = Finding("")
        best = finding.best
        yield json.dumps({
            "page": best.page if best else None,
            "section": best.heading if best else None,
            "score": finding.score,
            "answerable": finding.answerable,
        }, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """The evaluation adapter: JSON lines on standard output, everything else on standard error."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m actions.knowledge.retrieval", description=main.__doc__)
    parser.add_argument("--jsonl", action="store_true", required=True, help="JSON lines in, JSON lines out")
    parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        retriever = default_retriever()
        incoming = (raw.decode("utf-8", "replace") for raw in sys.stdin.buffer)
        for line in answer_lines(incoming, retriever.find):
            print(line, flush=True)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
