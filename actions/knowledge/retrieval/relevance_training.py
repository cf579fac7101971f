"""Fitting the relevance model: `python -m actions.knowledge.retrieval.relevance_training [--judge]`

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
from sklearn.linear_model import LogisticRegression

import settings
from actions.knowledge.pages.documents import Section, load_pages
from actions.knowledge.pages.topics import FOLDER, Topic, load_topics
from actions.knowledge.retrieval.embedding import E5, RememberingEmbedder
from actions.knowledge.retrieval.relevance import FITTED, Embed, Fitted, Numbers, Pages, choose, ranked, unit
from actions.knowledge.retrieval.wording import Wording

SHOPS = FOLDER.parent / "shops"
DIMENSIONS = 96
SPREAD = 1e-3  # added to the spread of phrasings within a topic
PULL = 0.01  # towards 0, of the weights of the ranking
LOOSENESS = 0.05  # of the weights of the decision whether the pages answer
WRONG_SECTION = 0.1  # weight of a question whose section the ranking missed: refusing it loses little
BRIDGE_GROUPS, BRIDGE_SHARPNESS, BRIDGE_PULL = 6, 30.0, 0.003


@dataclass(frozen=True)
class Lesson:
    """A shop's questions in numbers: `right` has a row a question with the share of each section, last of none."""

    shop: str
    pair: Numbers
    asked: Numbers
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
    spoken = embed([" ".join((topic.about, *topic.said)) for topic in topics], "passage").astype(np.float64)
    lines = embed([line for topic in topics for line in topic.said], "passage").astype(np.float64)
    line_of = np.array([n for n, topic in enumerate(topics) for _ in topic.said])
    areas = sorted({topic.area for topic in topics})
    return Fitted(
        middle, turn, unit((asked - middle) @ turn), owner, unit((spoken - spoken.mean(axis=0)) @ turn),
        np.array([areas.index(topic.area) for topic in topics]), lines.mean(axis=0),
        bridge(asked, owner, lines, line_of), np.zeros((3, 0)), np.zeros((3, 0)), np.array(digest()),
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
    pair, asked_numbers = pages.numbers(questions, embed(questions, "query"), unseen=True)
    right = np.zeros((len(asked), len(loaded.sections) + 1))
    for row, (_, places) in zip(right, asked, strict=True):
        row[list(places) or [-1]] = 1 / max(1, len(places))
    return Lesson(folder.name, pair, asked_numbers, right)


def bridge(asked: Numbers, owner: Numbers, said: Numbers, said_owner: Numbers) -> Numbers:
    """The matrix that takes a question nearest to what pages say of its topic, close to the identity otherwise."""
    topics = np.random.default_rng(0).permutation(np.unique(said_owner))
    groups = []
    for part in np.array_split(topics, BRIDGE_GROUPS):
        means = unit(np.stack([said[said_owner == topic].mean(axis=0) for topic in part]))
        mine = np.isin(owner, part)
        right = (owner[mine][:, None] == part).astype(float)
        groups.append((asked[mine] - asked.mean(axis=0), means - said.mean(axis=0), right))
    count, size = len(asked), asked.shape[1]

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        matrix, total, slope = flat.reshape(size, size), 0.0, np.zeros((size, size))
        for questions, pages, right in groups:
            shares, _ = ranked(BRIDGE_SHARPNESS * questions @ matrix @ pages.T)
            total -= float((right * np.log(shares + 1e-12)).sum())
            slope += BRIDGE_SHARPNESS * questions.T @ (shares - right) @ pages
        away = matrix - np.eye(size)
        return total / count + BRIDGE_PULL * float((away**2).sum()), (slope / count + 2 * BRIDGE_PULL * away).ravel()

    found = minimize(loss, np.eye(size).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 40})
    return np.asarray(found.x).reshape(size, size)


def fit(space: Fitted, lessons: Sequence[Lesson]) -> Fitted:
    """Fit the ranking to the questions that are answered, then to all whether they are."""
    pairs = np.concatenate([one.pair.reshape(-1, one.pair.shape[-1]) for one in lessons])
    mean, spread = pairs.mean(axis=0), pairs.std(axis=0) + 1e-6
    scaled = [(one.pair - mean) / spread for one in lessons]
    weights = _ranking(scaled, lessons)
    tables, labels, worth = [], [], []
    for pair, one in zip(scaled, lessons, strict=True):
        shares, lead = ranked(pair @ weights)
        answered = one.right[:, -1] == 0
        lost = answered & (one.right[np.arange(len(shares)), shares.argmax(axis=1)] == 0)
        tables.append(np.concatenate([one.asked, lead], axis=1))
        labels.append(answered)
        worth.append(np.where(lost, WRONG_SECTION, 1.0))
    table, label, weight = np.concatenate(tables), np.concatenate(labels), np.concatenate(worth)
    weight *= np.where(label, 0.5 / weight[label].sum(), 0.5 / weight[~label].sum()) * weight.sum()
    scale = table.mean(axis=0), table.std(axis=0) + 1e-6
    learnt = LogisticRegression(C=LOOSENESS, max_iter=500).fit((table - scale[0]) / scale[1], label, weight)
    constant = [[0.0], [1.0], learnt.intercept_]
    answerable = np.concatenate([np.stack([*scale, learnt.coef_[0]]), constant], axis=1)
    return replace(space, ranking=np.stack([mean, spread, weights]), answerable=answerable)


def _ranking(scaled: Sequence[Numbers], lessons: Sequence[Lesson]) -> Numbers:
    """The weights of a conditional logit over the sections."""
    known = [one.right[:, -1] == 0 for one in lessons]
    shown = [(pair[mine], one.right[mine, :-1]) for pair, one, mine in zip(scaled, lessons, known, strict=True)]
    count = sum(len(right) for _, right in shown)

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, slope = 0.0, np.zeros_like(weights)
        for pair, right in shown:
            shares, _ = ranked(pair @ weights)
            total -= float((right * np.log(shares + 1e-12)).sum())
            slope += np.einsum("qs,qsn->n", shares - right, pair)
        return total / count + PULL * float((weights**2).sum()), slope / count + 2 * PULL * weights

    return minimize(loss, np.zeros(scaled[0].shape[-1]), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x


def judged(model: Fitted, one: Lesson) -> tuple[float, float, float]:
    """(right section, right section and not refused, refused when not answered), shares of a shop's questions."""
    chosen = choose(model, one.pair, one.asked)
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
