"""Fitting the relevance model: `python -m actions.knowledge.relevance_training [--judge]`

Reads the catalogue (data/policy_topics/) and the training shops (data/shops/<name>/ and the demo shop in the root:
pages and questions.tsv with `question, tab, page#heading | refuse`), fits in two minutes, most of it embedding, and
writes relevance.npz. --judge leaves each shop out in turn and says how the others' model does on it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import settings
from actions.knowledge.documents import Section, load_pages
from actions.knowledge.embedding import E5, RememberingEmbedder
from actions.knowledge.relevance import FITTED, Embed, Fitted, Numbers, Pages, choose, unit
from actions.knowledge.topics import FOLDER, Topic, load_topics
from actions.knowledge.wording import Wording

SHOPS = FOLDER.parent / "shops"
DIMENSIONS = 96
SPREAD = 1e-3  # added to the spread of phrasings within a topic
PULL = (0.003, 0.03)  # towards 0, of the weights of a pair and of none


@dataclass(frozen=True)
class Lesson:
    """A shop's questions in numbers: `right` has a row a question with the share of each section, last of none."""

    shop: str
    pair: Numbers
    none: Numbers
    right: Numbers


def digest() -> str:
    """Of all that the model is made from."""
    made = hashlib.sha256()
    shown = [file for shop in shops() for file in (*sorted(shop.glob("policy_kb/*.md")), shop / "questions.tsv")]
    for path in (*sorted(FOLDER.glob("*.yml")), *shown):
        made.update(path.name.encode() + path.read_bytes())
    return made.hexdigest()[:16]


def shops() -> list[Path]:
    """The folders to learn from."""
    return [*sorted(path.parent for path in SHOPS.glob("*/questions.tsv")), settings.PROJECT_ROOT]


def topic_space(topics: Sequence[Topic], embed: Embed) -> Fitted:
    """The space in which phrasings of one topic fall together (whitened discriminants); weights still zero."""
    asked = embed([phrase for topic in topics for phrase in topic.asked], "query").astype(np.float64)
    owner = np.array([n for n, topic in enumerate(topics) for _ in topic.asked])
    middle = asked.mean(axis=0)
    means = np.stack([asked[owner == n].mean(axis=0) for n in range(len(topics))])
    within = (asked - means[owner]).T @ (asked - means[owner]) / len(asked)
    values, vectors = np.linalg.eigh(within)
    white = vectors @ np.diag((values + SPREAD) ** -0.5) @ vectors.T
    _, _, axes = np.linalg.svd((means - middle) @ white, full_matrices=False)
    turn = white @ axes[:DIMENSIONS].T
    said = embed([" ".join((topic.about, *topic.said)) for topic in topics], "passage").astype(np.float64)
    areas = sorted({topic.area for topic in topics})
    return Fitted(
        middle, turn, unit((asked - middle) @ turn), owner, unit((said - said.mean(axis=0)) @ turn),
        np.array([areas.index(topic.area) for topic in topics]), np.zeros((3, 0)), np.zeros((3, 0)), np.array(digest()),
    )


def read_questions(path: Path, sections: Sequence[Section]) -> list[tuple[str, frozenset[int]]]:
    """(question, places of the sections that answer it). ValueError for a section that the pages do not have."""
    places = {section.key: place for place, section in enumerate(sections)}
    questions = []
    for line in path.read_text(encoding="utf-8").splitlines():
        question, tab, answer = line.partition("\t")
        if not tab or line.startswith("#"):
            continue
        keys = [] if answer.strip() in ("refuse", "none") else answer.strip().split("|")
        unknown = [key for key in keys if key not in places]
        if unknown:
            raise ValueError(f"{path}: there is no section {unknown[0]!r}.")
        questions.append((question.strip(), frozenset(places[key] for key in keys)))
    return questions


def lesson(folder: Path, space: Fitted, embed: Embed) -> Lesson:
    """The numbers of one shop's questions."""
    loaded = load_pages(folder / "policy_kb")
    pages, wording = Pages(loaded.sections, embed, space), Wording(loaded.lexicon)
    asked = read_questions(folder / "questions.tsv", loaded.sections)
    questions = [wording.readable(question) for question, _ in asked]
    pair, none = pages.numbers(questions, embed(questions, "query"), unseen=True)
    right = np.zeros((len(asked), len(loaded.sections) + 1))
    for row, (_, places) in zip(right, asked, strict=True):
        row[list(places) or [-1]] = 1 / max(1, len(places))
    return Lesson(folder.name, pair, none, right)


def fit(space: Fitted, lessons: Sequence[Lesson]) -> Fitted:
    """The conditional logit over all lessons."""
    pairs = np.concatenate([one.pair.reshape(-1, one.pair.shape[-1]) for one in lessons])
    nones = np.concatenate([one.none for one in lessons])
    pair_scale = pairs.mean(axis=0), pairs.std(axis=0) + 1e-6
    none_scale = nones.mean(axis=0), nones.std(axis=0) + 1e-6
    count, width = len(nones), pairs.shape[1]

    def with_weights(weights: Numbers) -> Fitted:
        constant = [[0.0], [1.0], [weights[-1]]]
        none = np.concatenate([np.stack([*none_scale, weights[width:-1]]), constant], axis=1)
        return replace(space, pair=np.stack([*pair_scale, weights[:width]]), none=none)

    scaled = [
        ((one.pair - pair_scale[0]) / pair_scale[1], (one.none - none_scale[0]) / none_scale[1], one.right)
        for one in lessons
    ]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        model, total, slope = with_weights(weights), 0.0, np.zeros_like(weights)
        for one, (pair, none, right) in zip(lessons, scaled, strict=True):
            chosen = choose(model, one.pair, one.none)
            total -= float((right * np.log(chosen + 1e-12)).sum())
            wrong = chosen - right
            slope[:width] += np.einsum("qs,qsn->n", wrong[:, :-1], pair)
            slope[width:-1] += none.T @ wrong[:, -1]
            slope[-1] += wrong[:, -1].sum()
        pull = np.concatenate([np.full(width, PULL[0]), np.full(none_scale[0].size, PULL[1]), [0.0]])
        return total / count + float((pull * weights**2).sum()), slope / count + 2 * pull * weights

    start = np.zeros(width + nones.shape[1] + 1)
    return with_weights(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)


def judged(model: Fitted, one: Lesson) -> tuple[float, float, float]:
    """(right section, right section and not refused, refused when not answered), shares of a shop's questions."""
    chosen = choose(model, one.pair, one.none)
    answered = one.right[:, -1] == 0
    right = one.right[np.arange(len(chosen)), chosen[:, :-1].argmax(axis=1)] > 0
    kept = chosen[:, -1] < 0.5
    return float(right[answered].mean()), float((right & kept)[answered].mean()), float((~kept)[~answered].mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write; with --judge only tell how well each shop is answered by a model that never saw it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    texts = RememberingEmbedder(E5(), settings.load().state_path / "knowledge" / "training")
    space = topic_space(load_topics(), texts.embed)
    lessons = [lesson(folder, space, texts.embed) for folder in shops()]
    if "--judge" in arguments:
        results = []
        for one in lessons:
            section, kept, refused = judged(fit(space, [other for other in lessons if other is not one]), one)
            results.append((kept + refused) / 2)
            scores = f"section {section:.2f} answered {kept:.2f} refused {refused:.2f}"
            print(f"{one.shop:24}{scores} mean {results[-1]:.3f}")
        print(f"{'mean of shops':24}{np.mean(results):.3f}")
        return 0
    fit(space, lessons).save()
    print(f"{FITTED.name}: {len(lessons)} shops, {sum(len(one.right) for one in lessons)} questions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
