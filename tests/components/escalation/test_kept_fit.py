"""What was fitted to the examples is kept, and only as long as it can be read."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.escalation import reasons
from components.text.classifier import Classifier, Example

EXAMPLES = [
    Example(f"{words} {n}", label)
    for words, label in (("i want a person", "human_requested"), ("where is it", "none"), ("a fraud", "complaint"))
    for n in ("please", "now", "today")
]


class Embedder:
    """Something of each text."""

    def many(self, texts: list[str]) -> np.ndarray:
        return np.array([np.random.default_rng(sum(map(ord, text))).normal(size=16) for text in texts])


@pytest.mark.parametrize("before", ["nothing", "a fit", "an older program's fit", "half a file"])
def test_a_kept_fit_is_taken_and_one_that_cannot_be_read_is_made_anew(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    fit = Classifier.fit.__func__  # type: ignore[attr-defined]
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(reasons, "training_examples", lambda _: EXAMPLES)
    monkeypatch.setattr(reasons, "SentenceEmbeddings", lambda _: Embedder())
    monkeypatch.setattr(Classifier, "fit", classmethod(lambda *a: (fits.append(1), fit(*a))[1]))
    if before != "nothing":
        reasons.fit()
        (file,) = (tmp_path / "cache").glob("escalation-*.npz")
        if before == "half a file":
            file.write_bytes(file.read_bytes()[:2000])
        elif before != "a fit":
            stored = dict(np.load(file, allow_pickle=False))
            stored["rest"] = np.frombuffer(stored["rest"].tobytes().replace(b'"folds"', b'"other"'), np.uint8)
            np.savez(file, **stored)
    assert reasons.fit().examples == reasons.fit().examples
    assert len(fits) == (1 if before in ("nothing", "a fit") else 2)


def test_of_two_that_learn_at_once_one_learns_and_the_other_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    fit = Classifier.fit.__func__  # type: ignore[attr-defined]

    def slowly(*given: Any) -> Classifier:
        fits.append(1)
        time.sleep(0.3)  # the other one has come by then
        learnt: Classifier = fit(*given)
        return learnt

    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(reasons, "training_examples", lambda _: EXAMPLES)
    monkeypatch.setattr(reasons, "SentenceEmbeddings", lambda _: Embedder())
    monkeypatch.setattr(Classifier, "fit", classmethod(slowly))
    with ThreadPoolExecutor(2) as pool:
        one, other = (learning.result(timeout=20) for learning in [pool.submit(reasons.fit) for _ in range(2)])
    assert (len(fits), one.examples) == (1, other.examples)
