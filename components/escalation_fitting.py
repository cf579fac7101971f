"""Fits what `escalation_likeness.py` answers with, from labelled messages; run it after editing them.

    python -m components.escalation_fitting      a minute or two; prints leave-one-out precision and recall

The messages are `escalation_messages.tsv` and the phrases of `data/nlu/`. Both models are kernel ridge regressions on
one-hot labels, which know their leave-one-out predictions in closed form; these set each model's temperature, so that
a probability means what it says.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import scipy.linalg
import scipy.sparse

from components.escalation_likeness import LABELS, LikenessWeights, TellingNgrams, nearness
from components.text.message_text import folded, readable
from components.text.ngrams import Ngrams

HERE = Path(__file__).resolve().parent
MESSAGES = HERE / "escalation_messages.tsv"
INNOCENT = ("none", "tricky")
_REASON_OF = {"request_refund": "refund_request", "request_human": "human_requested", "file_complaint": "frustration"}
# These hold calm and angry messages alike: the phrases of config.yml tell which.
_MIXED = ("check_order_status", "check_refund_status", "cancel_order", "file_complaint")
_RIDGE = 0.3
_BIAS = 0.05
_PHRASE_TRUST = 0.6  # a phrase of data/nlu/ was labelled for another purpose and counts less
_EVERY = 3  # of the innocent phrases of data/nlu/, which are many, one in so many
_TYPICAL = 700  # messages that others are compared with in meaning
_MEANING = 2.0  # weight of that beside the words
_WIDTH = 1.0
_RIDGE_TYPICAL = 0.1
_GRAMS = 12000


@dataclass(frozen=True)
class Example:
    """A labelled message; `ours` when it was written for the detector."""

    text: str
    label: str
    ours: bool


def labelled(path: Path = MESSAGES) -> Iterator[tuple[str, str]]:
    """Expected reason (or none, tricky) and message of each line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            expected, text = line.split("\t")
            yield expected, text


def own_examples() -> list[Example]:
    """The labelled messages."""
    return [Example(text, "innocent" if label in INNOCENT else label, True) for label, text in labelled()]


def examples() -> list[Example]:
    """The labelled messages, and the phrases of `data/nlu/` by what their intent says of them."""
    from components.escalation import Signals, assess

    found = own_examples()
    innocent = 0
    for intent, text in _phrases():
        label = _REASON_OF.get(intent, "innocent")
        if intent in _MIXED:
            label = assess(Signals(text)).reason or label
        innocent += label == "innocent"
        if label != "innocent" or innocent % _EVERY == 0:
            found.append(Example(text, label, False))
    return found


class Embedder(Protocol):
    """What turns readable texts into vectors, shape (n, d)."""

    def many(self, texts: Sequence[str]) -> np.ndarray: ...


def fit(found: list[Example], embedder: Embedder) -> tuple[LikenessWeights, np.ndarray]:
    """The fitted weights, and the leave-one-out probabilities of the examples, shape (n, labels)."""
    folds = [folded(example.text) for example in found]
    target = np.array([LABELS.index(example.label) for example in found])
    ridge = _RIDGE / np.where([example.ours for example in found], 1.0, _PHRASE_TRUST)
    ngrams = _telling(folds, target, ridge)
    sparse = ngrams.matrix(folds)
    linear = _products(sparse) + _BIAS
    glanced = _regression(linear, target, ridge)
    vectors = embedder.many([readable(example.text) for example in found])
    centre = vectors.mean(axis=0)
    typical = _typical(vectors - centre, [example.ours for example in found])
    near = nearness(vectors, centre, typical, _WIDTH)
    among = nearness(typical / 127.0 + centre, centre, typical, _WIDTH)
    to_typical = scipy.linalg.solve(among + _RIDGE_TYPICAL * np.eye(len(typical)), near.T, assume_a="pos")
    read = _regression(linear + _MEANING * near @ to_typical, target, ridge)
    weights = LikenessWeights(
        ngrams=ngrams,
        glance_weights=sparse.T @ glanced.dual,
        glance_bias=_BIAS * glanced.dual.sum(axis=0),
        glance_temperature=glanced.temperature,
        read_weights=sparse.T @ read.dual,
        read_bias=_BIAS * read.dual.sum(axis=0),
        read_temperature=read.temperature,
        centre=centre,
        typical=typical,
        typical_weights=_MEANING * to_typical @ read.dual,
        width=_WIDTH,
        digest=digest(found),
    )
    return weights, read.left_out


def digest(found: list[Example]) -> str:
    """By which a fit is known to be of these messages of ours."""
    lines = sorted(f"{example.label}\t{example.text}" for example in found if example.ours)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class _Regression:
    dual: np.ndarray  # (n, labels)
    temperature: float
    left_out: np.ndarray  # leave-one-out probabilities, (n, labels)


def _regression(kernel: np.ndarray, target: np.ndarray, ridge: np.ndarray) -> _Regression:
    factor, _ = scipy.linalg.lapack.spotrf((kernel + np.diag(ridge)).astype(np.float32), lower=True)
    lower, _ = scipy.linalg.lapack.spotri(factor, lower=True)
    inverse = np.tril(lower) + np.tril(lower, -1).T
    wanted = np.eye(len(LABELS), dtype=np.float32)[target]
    dual = inverse @ wanted
    scores = wanted - dual / np.diag(inverse)[:, None]
    rows = np.arange(len(target))
    grid = np.geomspace(0.03, 1.0, 50)
    losses = [-np.log(np.maximum(_softmax(scores / t)[rows, target], 1e-9)).mean() for t in grid]
    temperature = float(grid[int(np.argmin(losses))])
    return _Regression(dual, temperature, _softmax(scores / temperature))


def _telling(folds: list[str], target: np.ndarray, ridge: np.ndarray) -> TellingNgrams:
    """The n-grams that weigh most in a first fit, so that the file stays small."""
    ngrams = Ngrams.fit(folds)
    sparse = ngrams.matrix(folds)
    weights = np.abs(sparse.T @ _regression(_products(sparse) + _BIAS, target, ridge).dual).max(axis=1) * ngrams.rarity
    kept = sorted(np.argsort(-weights, kind="stable")[:_GRAMS])
    return TellingNgrams([ngrams.vocabulary[column] for column in kept], ngrams.rarity[kept])


def _products(sparse: scipy.sparse.csr_matrix) -> np.ndarray:
    return np.asarray((sparse @ sparse.T).todense(), dtype=np.float32)


def _typical(moved: np.ndarray, ours: list[bool]) -> np.ndarray:
    """Directions of some messages from the centre in 127ths: four of our own for one of the others, evenly drawn."""
    own, other = np.flatnonzero(ours), np.flatnonzero(~np.array(ours))
    shares = ((own, _TYPICAL * 4 // 5), (other, _TYPICAL // 5))
    chosen = np.concatenate([kind[np.linspace(0, len(kind) - 1, min(n, len(kind))).astype(int)] for kind, n in shares])
    directions = moved[chosen] / np.linalg.norm(moved[chosen], axis=1, keepdims=True)
    return np.round(directions * 127.0).astype(np.float32)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _phrases() -> Iterator[tuple[str, str]]:
    """Intent and phrase of all training phrases, without entity marks."""
    import yaml

    for path in sorted((HERE.parent / "data/nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu", []):
            for line in (block.get("examples") or "").splitlines():
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.strip().removeprefix("- "))
                if block.get("intent") and text:
                    yield block["intent"], text


def estimate(found: list[Example], left_out: np.ndarray) -> str:
    """How well each message is told by a model that did not see it; of our own messages."""
    decided = Counter(
        (example.label != "innocent", bool(row[0] < 0.5))
        for example, row in zip(found, left_out, strict=True)
        if example.ours
    )
    right, missed, alarms = decided[True, True], decided[True, False], decided[False, True]
    return f"left out, without phrases: precision {right / (right + alarms):.3f}, recall {right / (right + missed):.3f}"


if __name__ == "__main__":
    from components.embeddings.sentence_embeddings import SentenceEmbeddings

    fitted = examples()
    shipped, unseen = fit(fitted, SentenceEmbeddings(Path("var/cache/embeddings.npz")))
    shipped.save()
    print(f"{len(fitted)} examples, {estimate(fitted, unseen)}")
