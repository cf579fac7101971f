"""The trained model on phrases that it has never seen: today's level less two standard errors; a regression fails."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.embeddings import sentence_embeddings
from components.order_numbers.finding import find_misshaped, find_order_numbers
from components.order_numbers.shape import Shape
from components.text.message_text import folded
from tests.costs import is_within
from workbench.nlu.phrases import HELD_OUT, TRAINING, read_phrases
from workbench.nlu.trained_nlu import TrainedNlu, is_right

# slice (file, in scope or not): share of right labels that it must reach
LEVELS = {
    ("retail_live", True): 0.94,
    ("tweets", True): 0.91,
    ("hinglish", True): 0.91,
    ("long_messages", True): 0.85,
    ("small_talk", True): 0.94,
    ("hindi", True): 0.85,
    ("hindi", False): 0.54,
    ("portuguese", True): 0.88,
    ("portuguese", False): 0.70,
    ("spanish", True): 0.87,
    ("spanish", False): 0.70,
    ("out_of_scope_unrelated", False): 0.93,
    ("out_of_scope_near_retail", False): 0.91,
}


# The same for phrases whose author never saw the training data. They stay sealed: nobody reads which of them were
# misunderstood, so the failing test tells only how many.
SEALED = HELD_OUT.parent / "sealed"
SEALED_LEVELS = {
    "retail_chat": 0.84,
    "tweets": 0.89,
    "hinglish": 0.87,
    "smalltalk": 0.92,
    "oos_unrelated": 0.88,
    "oos_near_retail": 0.93,
}


@pytest.fixture(scope="module")
def nlu() -> TrainedNlu:
    return TrainedNlu.newest()


@pytest.mark.model
@pytest.mark.parametrize(("name", "in_scope"), LEVELS)
def test_held_out_phrases_are_understood(nlu: TrainedNlu, name: str, in_scope: bool) -> None:
    of_slice = [phrase for phrase in read_phrases(HELD_OUT) if phrase.file.stem == name]
    phrases = [phrase for phrase in of_slice if (phrase.intent != "out_of_scope") == in_scope]
    labels = [(phrase, nlu.label(phrase.text)) for phrase in phrases]
    wrong = [
        f"{phrase.intent} -> {label}: {phrase.text}" for phrase, label in labels if not is_right(phrase.intent, label)
    ]
    share = 1 - len(wrong) / len(phrases)
    assert share >= LEVELS[name, in_scope], f"{share:.2f} of {len(phrases)}:\n" + "\n".join(wrong)


@pytest.mark.model
@pytest.mark.parametrize("name", SEALED_LEVELS)
def test_sealed_phrases_are_understood(nlu: TrainedNlu, name: str) -> None:
    rows = [line.split("\t") for line in (SEALED / f"{name}.tsv").read_text(encoding="utf-8").splitlines()]
    phrases = [
        (row[0], row[1].replace("nlu_fallback", "out_of_scope").split("|"))
        for row in rows
        if len(row) == 2 and not row[0].startswith("# ")
    ]
    right = sum(any(is_right(wanted, nlu.label(text)) for wanted in labels) for text, labels in phrases)
    share = right / len(phrases)
    assert share >= SEALED_LEVELS[name], f"{share:.2f} of {len(phrases)}"


@pytest.mark.model
@pytest.mark.parametrize("seed", range(3))
def test_invented_words_are_not_understood(nlu: TrainedNlu, seed: int) -> None:
    dice = random.Random(seed)
    syllables = [first + vowel + last for first in "bdfgjkvwz" for vowel in "aeiou" for last in "bgkpvxz"]
    texts = [" ".join("".join(dice.choices(syllables, k=2)) for _ in range(3)) for _ in range(40)]
    assert sum(is_right("out_of_scope", nlu.label(text)) for text in texts) >= 34


@pytest.mark.model
def test_a_message_is_read_within_ten_milliseconds_on_average(nlu: TrainedNlu) -> None:
    nlu.read("warm up")
    phrases = iter(read_phrases(HELD_OUT))  # none twice: what was read is remembered

    def read_some() -> None:
        for phrase in itertools.islice(phrases, 50):
            sentence_embeddings._recent.clear()
            nlu.read(phrase.text)

    assert is_within(50 * 8, read_some) or is_within(50 * 8, read_some)  # of six fifties one on a core that is free


@pytest.mark.slow
def test_no_held_out_phrase_is_among_the_training_phrases() -> None:
    trained = {folded(p.text) for p in read_phrases(TRAINING) if len(p.text.split()) > 4}
    assert [p.text for p in read_phrases(HELD_OUT) if folded(p.text) in trained] == []


def _order_number_cases() -> Iterator[tuple[str, str, list[str], list[str]]]:
    """(pattern, message, order numbers, misshaped ones) of both files."""
    for line in (Path(HELD_OUT) / "order_numbers.tsv").read_text(encoding="utf-8").splitlines():
        text, _, numbers = line.partition("\t")
        yield r"\d{5}", text, numbers.split(), []
    for line in (Path(HELD_OUT) / "order_numbers_shapes.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        shop, text, numbers, misshaped = line.split("\t")
        yield Shape.learnt(shop.split(" ")).pattern, text, numbers.split(), [misshaped] if misshaped else []


@pytest.mark.slow
@pytest.mark.usefixtures("shapes_learnt_once")
@pytest.mark.parametrize(
    ("name", "level"), [("has numbers", 0.95), ("look-alikes", 0.96), ("misshaped", 0.93)]
)
def test_order_numbers_are_told_from_their_look_alikes(name: str, level: float) -> None:
    """Of shops with numbers of eight shapes. How many, and not which: these messages are for measuring alone."""
    right = []
    for pattern, text, numbers, misshaped in _order_number_cases():
        if name == "misshaped":
            right.append([span.value for span in find_misshaped(text, pattern)] == misshaped)
        elif bool(numbers) == (name == "has numbers"):
            right.append([span.value for span in find_order_numbers(text, pattern)] == numbers)
    share = sum(right) / len(right)
    assert share >= level, f"{share:.3f} of {len(right)}"
