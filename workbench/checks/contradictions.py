"""Phrases that work against each other: under two intents, twice in one, trained on and held out, against the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components.text.message_text import folded
from workbench.checks.findings import Finding
from workbench.nlu.phrases import Phrase

if TYPE_CHECKING:
    from components.text.classifier import Classifier

_ORDER_NUMBER = "ordernumber"  # what `folded` writes for any
_ALIKE = 0.92  # cosine of character n-grams from which on a held-out phrase counts as trained on
_SAME = 0.92  # the same between two training phrases from which on one contradicts the other
_CONTRADICTED = 0.9  # confidence of another intent, the phrase itself left out, from which on the label is in doubt


def under_two_intents(training: Iterable[Phrase]) -> list[Finding]:
    """The same message, however spelt, with different labels: the model cannot learn both."""
    return [
        Finding("two intents", p.place, f'"{p.text}" is {p.intent} here and {same[0].intent} in {same[0].place}',
                "keep it where the customer's wish is, delete the other")
        for same in _grouped(training).values()
        for p in same[1:]
        if p.intent != same[0].intent
    ]  # fmt: skip


def twice(training: Iterable[Phrase]) -> list[Finding]:
    """The same spelling twice under one intent."""
    seen: dict[tuple[str, str], Phrase] = {}
    pairs = [(phrase, seen.setdefault((phrase.text.lower(), phrase.intent), phrase)) for phrase in training]
    return [
        Finding("twice", phrase.place, f'"{phrase.text}" is in {first.place} already', "delete one", blocking=False)
        for phrase, first in pairs
        if first is not phrase and first.text == phrase.text
    ]


def trained_and_held_out(training: Sequence[Phrase], held_out: Sequence[Phrase]) -> list[Finding]:
    """Held-out phrases of five words or more that are, nearly, training phrases: they no longer measure anything."""
    import numpy as np  # the checks that need no model start in a fraction of the time without these
    from sklearn.feature_extraction.text import TfidfVectorizer

    held_out = [phrase for phrase in held_out if len(_business(phrase.text).split()) >= 5]
    if not training or not held_out:
        return []
    def similarity(shown: Callable[[str], str]) -> Any:
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32)
        known = grams.fit_transform([shown(p.text) for p in training])
        return grams.transform([shown(p.text) for p in held_out]) @ known.T

    alike = similarity(folded).minimum(similarity(_business)).tocsr()  # with their order numbers and without
    best = np.asarray(alike.argmax(axis=1)).ravel()
    return [
        Finding("trained and held out", phrase.place,
                f'"{phrase.text}" is held out, and {training[at].place} trains on "{training[at].text}"',
                "remove it from data/nlu, or write another held-out phrase", blocking=False)
        for row, (phrase, at) in enumerate(zip(held_out, best, strict=True))
        if alike[row, at] >= _ALIKE
    ]  # fmt: skip


def _business(text: str) -> str:
    """What a message says beside courtesies and order numbers: short ones are all alike with them."""
    return folded(text).replace(_ORDER_NUMBER, " ").strip()


def contradicted(places: Mapping[tuple[str, str], str], model: Classifier, what: str = "phrases") -> list[Finding]:
    """Examples that the model, had it not seen them, would surely label as one in nearly the same words is labelled.

    A hard example alone is not a mistake: of those the model learns most. `places`: label and text of the examples that
    may be complained of → file:line. Those that the model was not trained on are passed over.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    labels = np.array([label for label, _ in model.examples])
    others = np.array(model.labels)[model.left_out.argmax(axis=1)]
    doubtful = np.flatnonzero((labels != others) & (model.left_out.max(axis=1) >= _CONTRADICTED))
    if not len(doubtful):
        return []
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), dtype=np.float32)
    known = grams.fit_transform([folded(text) for _, text in model.examples])
    findings = []
    for number in doubtful:
        (label, text), other = model.examples[number], others[number]
        alike = (known @ known[number].T).toarray().ravel() * (labels == other)
        against = model.examples[int(alike.argmax())]
        if alike.max() >= _SAME and (label, text) in places:
            problem = f'"{text}" is {label}, but the other {what} say {other}, as "{against[1]}"'
            where = f" ({places[against]})" if against in places else ""
            remedy = f"move it to {other}, or write more {what} like it under {label}"
            findings.append(Finding("contradicted", places[label, text], problem + where, remedy, blocking=False))
    return findings


def _grouped(phrases: Iterable[Phrase]) -> dict[str, list[Phrase]]:
    groups: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        groups[folded(phrase.text)].append(phrase)
    return groups
