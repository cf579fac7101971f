"""Fitting the relevance model: `python -m actions.knowledge.retrieval.relevance_training [--judge]`

Reads the catalogue (data/policy_topics/) and the training shops (data/shops/<name>/ and the demo shop in the root:
pages, questions.tsv with `question, tab, page#heading | refuse`, and chats.tsv), fits in some minutes, most of it
embedding, and writes relevance.npz. --judge leaves groups of shops out in turn and says how the others' model does.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import settings
import yaml_files
from actions.knowledge.pages.documents import Section, load_pages
from actions.knowledge.pages.topics import FOLDER, Topic, load_topics
from actions.knowledge.retrieval import ranking as rankings
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.embedding_service import chosen_embedder
from actions.knowledge.retrieval.experience import Experience, unit
from actions.knowledge.retrieval.experience_training import Lessons, Taught
from actions.knowledge.retrieval.follow_up import FollowUp
from actions.knowledge.retrieval.follow_up_training import Played, Turn, follow_ups, play, read_chats
from actions.knowledge.retrieval.follow_up_training import fit as fit_follow_up
from actions.knowledge.retrieval.ranking import Ranking
from actions.knowledge.retrieval.relevance import (
    FITTED,
    Embed,
    Fitted,
    Numbers,
    Pages,
    Scores,
    choose,
    decided_by,
    numbers,
    read,
)  # fmt: skip
from actions.knowledge.retrieval.wording import Wording
from actions.knowledge.stores.remembering import RememberingEmbedder

_NONE: Any = np.zeros((0, 0))
_UNRANKED = Ranking(*[_NONE] * 6)
_NOTHING = Experience(*[_NONE] * 9)
SHOPS = FOLDER.parent / "shops"
DIMENSIONS = 96
SPREAD = 1e-3  # added to the spread of phrasings within a topic
LOOSENESS = 0.007  # of the weights of the decision whether the pages answer
DEMO = 3.0  # weight in it of the demo shop's questions: its pages have three times the sections of another shop's
FEW = (2, 8)  # sections of a shop whose pages are only begun
HALVES = 1  # times that a shop is also shown with half of its pages, but for the demo's few
LESSONS = 140  # of a shop, but for the demo's: every question of a customer is held against all of them
EVEN, IN_CHATS = 0.5, 0.05  # in the middle of a chat to refuse what could be answered is the worse mistake; looseness
PARTS = 4  # of the shops, learnt from and tried on in turn


@dataclass(frozen=True)
class Shop:
    """A training shop, read; `scores` are what its pages and the usual topics say of its questions.

    The last of its questions are the turns of its `chats`, each behind the one before; `alone` are their own words.
    Ranking and refusing are fitted on the `single` ones before them.
    """

    name: str
    language: str
    pages: Pages
    taught: Taught
    scores: Scores
    chats: Sequence[Turn]
    alone: tuple[Sequence[str], Vectors, Scores]
    weight: float  # of its questions in the decision whether the pages answer

    @property
    def single(self) -> slice:
        """The questions that stand by themselves."""
        return slice(len(self.taught.questions) - len(self.chats))

    @property
    def lessons(self) -> Taught:
        """What others learn from it: not what a chat left unanswered, for that hangs on what was said before."""
        answered = self.taught.right[:, -1] == 0
        some = np.flatnonzero(answered | (np.arange(len(answered)) < self.single.stop))
        if self.weight == 1.0:
            some = np.random.default_rng(0).permutation(some)[:LESSONS]
        return self.taught.only(some)

    def told(self, experience: Experience) -> "Told":
        """With what `experience` says."""
        words, vectors, _ = self.alone
        learnt = self.pages.learnt_scores(self.taught.questions, self.taught.vectors, experience)
        return Told(self, learnt, self.pages.learnt_scores(words, vectors, experience))


@dataclass(frozen=True)
class Told:
    """A shop, what others' experience says of its questions, and what of its chats' own words."""

    shop: Shop
    learnt: Scores
    alone: Scores

    @property
    def numbers(self) -> Scores:
        """All numbers of its questions."""
        return numbers(self.shop.scores, self.learnt)

    def cut_down(self, halves: int) -> Iterator[tuple[Scores, Numbers]]:
        """The same and what is right, as if the shop had a few sections, or half its pages, and were asked as much
        beside them."""
        answered, page_of = self.shop.taught.right[self.shop.single], self.shop.pages.page_of
        pages = np.unique(page_of)
        for seed in range(halves + 1):
            chance = np.random.default_rng(len(answered) + max(0, seed - 1))
            kept = chance.permutation(len(page_of))[: chance.integers(*FEW)] if seed == 0 else np.flatnonzero(
                np.isin(page_of, chance.permutation(pages)[: max(1, round(len(pages) / 2))]))
            inside = answered[:, kept].sum(axis=1) > 0
            beside = chance.permutation(np.flatnonzero(~inside))[: inside.sum()]
            rows = np.concatenate([np.flatnonzero(inside), beside])
            right = np.concatenate([answered[rows][:, kept], (~inside[rows])[:, None]], axis=1)
            few = [(pairs[rows][:, kept], each[rows]) for pairs, each in (self.shop.scores, self.learnt)]
            yield numbers(*few), right / right.sum(axis=1, keepdims=True)

    def played(self, model: Fitted, follow: FollowUp | None) -> list[tuple[Played | None, Numbers]]:
        """Its chats, turn by turn, as `play` says."""
        shop = self.shop
        if not shop.chats:
            return []
        _, vectors, scores = shop.alone
        alone = read(model, *numbers(scores, self.alone))
        last = slice(-len(shop.chats), None)
        pairs, each = self.numbers
        joined = read(model, pairs[last], each[last])
        return play(shop.chats, alone, joined, vectors, shop.pages.texts, shop.pages.page_of, follow)


def digest() -> str:
    """Of all that the model is made from."""
    made, shown = hashlib.sha256(), [one.glob(kind) for one in shops() for kind in ("policy_kb/*.md", "*.tsv")]
    for path in (file for files in (FOLDER.glob("*.yml"), *shown) for file in sorted(files)):
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
    areas = sorted({topic.area for topic in topics})
    return Fitted(
        middle, turn, unit((asked - middle) @ turn), owner, unit((spoken - spoken.mean(axis=0)) @ turn),
        np.array([areas.index(topic.area) for topic in topics]), _NONE, np.array(digest()),
        _UNRANKED, _NOTHING, FollowUp(_UNRANKED, _NONE),
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


def read_shop(folder: Path, space: Fitted, embed: Embed) -> Shop:
    """One shop's pages and questions."""
    loaded = load_pages(folder / "policy_kb")
    pages, wording = Pages(loaded.sections, embed, space), Wording(loaded.lexicon)
    asked = read_questions(folder / "questions.tsv", loaded.sections)
    chats = read_chats(folder / "chats.tsv", [section.key for section in loaded.sections])
    turns = [turn.after(before) for turn, before in follow_ups(chats)]
    questions = [wording.readable(question) for question in (*(question for question, _ in asked), *turns)]
    vectors = embed(questions, "query")
    right = np.zeros((len(asked), len(loaded.sections) + 1))
    for row, (_, places) in zip(right, asked, strict=True):
        row[list(places) or [-1]] = 1 / max(1, len(places))
    right = np.array([*right, *(turn.right for turn in chats)])
    words = [wording.readable(turn.question) for turn in chats] or questions[:1]
    own = embed(words, "query")
    language = str(yaml_files.read(folder / "shop.yml")["languages"][0])[:2]
    taught = Taught(questions, vectors, pages.texts, pages.beside_headings, right)
    scores = pages.plain_scores(questions, vectors, unseen=True)
    alone, weight = (words, own, pages.plain_scores(words, own)), DEMO if folder == settings.PROJECT_ROOT else 1.0
    return Shop(folder.name, language, pages, taught, scores, chats, alone, weight)


def fit(space: Fitted, learners: Sequence[Shop]) -> Fitted:
    """Fit the ranking to the questions that are answered, then to all whether they are.

    What a shop's own questions taught is not believed of the same shop: each part is judged by the others' experience.
    """
    lessons = Lessons([shop.lessons for shop in learners])
    told = [learners[n].told(others) for part in parts(learners) for others in [lessons.learn(part)] for n in part]
    tried = [
        shown
        for one in told
        for (pairs, each), shop in [(one.numbers, one.shop)]
        for shown in (((pairs[shop.single], each[shop.single]), shop.taught.right[shop.single], shop.weight),
                      *((*fewer, 1.0) for fewer in one.cut_down(HALVES * (shop.weight == 1.0))))
    ]
    ranking, decided = rankings.fit([(pairs, right) for (pairs, _), right, _ in tried]), []
    for (pairs, each), right, weight in tried:
        pairs = ranking.standard(pairs)
        table = decided_by(pairs, each, ranking.weights(pairs))
        decided.append((table, right[:, -1] == 0, np.full(len(table), weight)))
    table, label, worth = map(np.concatenate, zip(*decided, strict=True))
    answerable = _answerable(table, label, worth)
    model = replace(space, ranking=ranking, answerable=answerable)
    chats = [turn for one in told for turn, _ in one.played(model, None) if turn]
    follow_up = fit_follow_up(chats, partial(_answerable, even=EVEN, loose=IN_CHATS))
    return replace(model, experience=lessons.learn(), follow_up=follow_up)


def parts(all_shops: Sequence[Shop]) -> list[list[int]]:
    """The numbers of some shops at a time, until each was among them; languages are mixed."""
    in_order = sorted(range(len(all_shops)), key=lambda n: all_shops[n].language)
    return [in_order[n::PARTS] for n in range(PARTS)]


def _answerable(table: Numbers, label: Numbers, weight: Numbers, even: float = 1, loose: float = LOOSENESS) -> Numbers:
    """A logistic regression; `even` 1: to answer rightly weighs as much as to refuse rightly, 0: by their share."""
    from sklearn.linear_model import LogisticRegression  # not in the action server's image

    weight = weight * np.where(label, weight[label].sum(), weight[~label].sum()) ** -even
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    learnt = LogisticRegression(C=loose, max_iter=500).fit((table - mean) / spread, label, weight / weight.mean())
    return np.concatenate([np.stack([mean, spread, learnt.coef_[0]]), [[0.0], [1.0], learnt.intercept_]], axis=1)


def judged(model: Fitted, shop: Shop) -> tuple[float, ...]:
    """Shares of a shop's questions, and of the later turns of its chats, as `_shares` says."""
    told, right = shop.told(model.experience), shop.taught.right
    chosen = choose(model, *told.numbers)
    later = [(row, turn.right) for turn, row in told.played(model, model.follow_up) if turn]
    chats = _shares(*map(np.array, zip(*later, strict=True))) if later else (np.nan,) * 3
    return (*_shares(chosen[shop.single], right[shop.single]), *chats)


def _shares(chosen: Numbers, right: Numbers) -> tuple[float, float, float]:
    """(right section, right section and not refused, refused when not answered)."""
    answered, kept = right[:, -1] == 0, chosen[:, -1] < 0.5
    found = right[np.arange(len(chosen)), chosen[:, :-1].argmax(axis=1)] > 0
    return float(found[answered].mean()), float((found & kept)[answered].mean()), float((~kept)[~answered].mean())


def judge(space: Fitted, all_shops: Sequence[Shop]) -> None:
    """Print how well each shop is answered by a model that never saw it, and each language's mean."""
    results = []
    for part in parts(all_shops):
        model = fit(space, [shop for n, shop in enumerate(all_shops) if n not in part])
        results += [(all_shops[n], judged(model, all_shops[n])) for n in part]
    line = "{} {:24}{:.3f} {:.3f} {:.3f} · chats {:.3f} {:.3f} {:.3f} (section, answered, refused)".format
    for shop, scores in results:
        print(line(shop.language, shop.name, *scores))
    for language in sorted({shop.language for shop in all_shops}):
        print(line(language, "all", *np.nanmean([of for shop, of in results if shop.language == language], axis=0)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit to the embeddings of the settings and write; --judge only tells how shops never seen would be answered."""
    embedder, own = chosen_embedder(settings.load(), str)
    texts = RememberingEmbedder(embedder, settings.load().state_path / "knowledge" / "training")
    space = topic_space(load_topics(), texts.embed)
    learners = [read_shop(folder, space, texts.embed) for folder in shops()]
    if "--judge" in (sys.argv[1:] if arguments is None else arguments):
        judge(space, learners)
    else:
        fit(space, learners).save(own or FITTED)
        print(f"{len(learners)} shops, {sum(len(shop.taught.questions) for shop in learners)} questions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
