"""Does a message read like those with which customers needed a person? For what no phrase names.

A logistic regression over the sentence embedding, asked only where the phrases leave a doubt.

    python -m components.escalation_likeness      fits it anew from escalation_messages.tsv and data/nlu/ (a minute)
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from components.message_text import readable

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
MESSAGES = HERE / "escalation_messages.tsv"
WEIGHTS = HERE / "escalation_likeness.json"
INNOCENT = ("none", "tricky")
_WANT_A_PERSON = ("request_refund", "file_complaint", "request_human")
# These hold calm and angry messages alike: what the phrases of config.yml do not find angry, teaches calm.
_MIXED = ("check_order_status", "check_refund_status", "cancel_order")
_REGULARISATION = 8.0
_DECIMALS = 3


class Likeness:
    """The fitted regression. Calling it costs about 10 ms, and nothing for a text that was asked lately."""

    def __init__(self, weights: list[float], bias: float) -> None:
        from components.sentence_embeddings import SentenceEmbeddings

        self._weights, self._bias = weights, bias
        self._embeddings = SentenceEmbeddings()

    def __call__(self, text: str) -> float:
        """Probability from 0 to 1 that the customer needs a person."""
        vector = self._embeddings.one(readable(text))
        return 1 / (1 + math.exp(-(float(vector @ self._weights) + self._bias)))


@lru_cache(maxsize=1)
def default_likeness() -> Likeness | None:
    """The shipped one, ready to answer; None when the embedding model cannot be used here."""
    try:
        fitted = json.loads(WEIGHTS.read_text())
        likeness = Likeness(fitted["weights"], fitted["bias"])
        likeness("hello")
    except Exception:  # whatever is wrong with the model file, phrases alone still decide
        log.warning("escalation.likeness.unavailable", exc_info=True)
        return None
    return likeness


def labelled(path: Path = MESSAGES) -> Iterator[tuple[str, str]]:
    """Expected reason (or none, tricky) and message of each line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            expected, text = line.split("\t")
            yield expected, text


def fit() -> None:
    """Fit on the labelled messages, counted twice, and on the phrases of telling intents; write the weights."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from components.escalation import Signals, assess
    from components.sentence_embeddings import SentenceEmbeddings

    examples = [(readable(text), expected not in INNOCENT) for expected, text in labelled()] * 2
    examples += [
        (readable(text), intent in _WANT_A_PERSON)
        for intent, text in _phrases()
        if intent not in _MIXED or not assess(Signals(text)).escalate
    ]
    vectors = SentenceEmbeddings(Path("var/cache/embeddings.npz")).many([text for text, _ in examples])
    model = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=1000)
    model.fit(vectors, np.array([needs for _, needs in examples]))
    weights = [round(float(weight), _DECIMALS) for weight in model.coef_[0]]
    WEIGHTS.write_text(json.dumps({"bias": round(float(model.intercept_[0]), _DECIMALS), "weights": weights}) + "\n")


def _phrases() -> Iterator[tuple[str, str]]:
    """Intent and phrase of all training phrases, without entity marks."""
    import yaml

    for path in sorted((HERE.parent / "data/nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu", []):
            for line in (block.get("examples") or "").splitlines():
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.strip().removeprefix("- "))
                if block.get("intent") and text:
                    yield block["intent"], text


if __name__ == "__main__":
    fit()
