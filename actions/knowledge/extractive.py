"""The answer without an LLM: the section's own sentences, the one that answers the question first."""

from __future__ import annotations

from collections.abc import Sequence

from actions.knowledge.documents import Section
from actions.knowledge.wording import words_of

LONGEST_QUOTE = 500
# Too common on these pages to tell one sentence from another.
_COMMON = frozenset((
    "return", "returns", "returned", "returning", "refund", "refunds", "refunded", "exchange", "item", "items", "order",
    "about", "after", "before", "there", "when", "what", "will", "with", "have", "from", "that", "this", "your", "does",
    "much", "many", "which", "where", "want", "need", "back", "take", "takes", "still", "come", "them", "then", "only",
))
_LEANING = frozenset((
    "it", "this", "that", "they", "them", "these", "those", "then", "so", "after", "without", "the", "both", "first",
    "once",
))
_STEM = 5


def extract(section: Section, readable_question: str, limit: int = LONGEST_QUOTE) -> str:
    """Whole sentences of `section`, at most `limit` characters (a single longer sentence is kept whole).

    The section's first sentence opens the answer, unless it says nothing of what the question names and a later one
    does. `readable_question` is the question in the words in which it was searched.
    """
    sentences = section.sentences
    named = _telling(readable_question)
    shared = [len(named & _telling(sentence.lower())) for sentence in sentences]
    opening = 0
    if not shared[0]:
        opening = max(range(len(sentences)), key=lambda n: shared[n] if _stands_alone(sentences[n]) else 0)
    chosen = [opening]
    for place in _by_weight(shared):
        if place not in chosen and len(" ".join(sentences[n] for n in [*chosen, place])) <= limit:
            chosen.append(place)
    return " ".join(sentences[place] for place in [opening, *sorted(chosen[1:])])


def _by_weight(shared: Sequence[int]) -> list[int]:
    """Places of the sentences: the first, then those that share more words with the question."""
    return sorted(range(len(shared)), key=lambda n: (n != 0, -shared[n], n))


def _telling(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in words_of(text) if len(word) > 3 and word not in _COMMON)


def _stands_alone(sentence: str) -> bool:
    """Not a sentence that leans on the one before it ("It takes 3 days.", "Without them, ...")."""
    return sentence.split()[0].strip(",").lower() not in _LEANING
