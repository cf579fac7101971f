"""The answer without an LLM: the section's own sentences, the one that answers the question first."""

from collections.abc import Sequence

from actions.knowledge.grounding.facts import plain
from actions.knowledge.pages.documents import Section
from actions.knowledge.pages.tables import cells_of
from actions.knowledge.retrieval.wording import words_of

MAX_QUOTE_CHARS = 500
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


def extract(section: Section, readable_question: str, limit: int = MAX_QUOTE_CHARS) -> str:
    """Whole sentences of `section`, at most `limit` characters (a single longer sentence is kept whole).

    The section's first sentence opens the answer, unless it says nothing of what the question names and a later one
    does. Of a table only the rows that the question names are quoted, all of them when it names none, a line each.
    `readable_question` is the question in the words in which it was searched.
    """
    sentences = _without_other_rows(section.sentences, readable_question)
    named = _telling(readable_question)
    shared = [len(named & _telling(sentence.lower())) for sentence in sentences]
    opening = 0
    if not shared[0]:
        opening = max(range(len(sentences)), key=lambda n: shared[n] if _stands_alone(sentences[n]) else 0)
    chosen = [opening]
    for place in _by_weight(shared):
        if place not in chosen and len(" ".join(sentences[n] for n in [*chosen, place])) <= limit:
            chosen.append(place)
    text = ""
    for place in [opening, *sorted(chosen[1:])]:
        apart = "\n" if _is_row(sentences[place]) or text.rpartition("\n")[2].count(" — ") else " "
        text = f"{text}{apart}{sentences[place]}" if text else sentences[place]
    return text


def _is_row(sentence: str) -> bool:
    return any(name for _, name, _ in cells_of(sentence))


def _without_other_rows(sentences: Sequence[str], question: str) -> list[str]:
    """The sentences without the rows of a table that the question does not ask about."""
    asked = {plain(word) for word in words_of(question.lower())}
    stems = {word[:_STEM] for word in asked}
    shares: dict[int, float] = {}
    for place, sentence in enumerate(sentences):
        if _is_row(sentence):
            label = [plain(word) for word in words_of(sentence.partition(" — ")[0].lower())]
            initials = "".join(word[0] for word in label)
            telling = [word for word in label if len(word) > 3 or word.isdigit() or len(label) == 1]
            share = sum(word[:_STEM] in stems for word in telling) / max(1, len(telling))
            short = len(label) > 1 and bool({initials, f"{initials}a"} & asked)
            shares[place] = max(share, float(short))
    most = max(shares.values(), default=0)
    return [s for place, s in enumerate(sentences) if not most or shares.get(place, most) == most]


def _by_weight(shared: Sequence[int]) -> list[int]:
    """Places of the sentences: the first, then those that share more words with the question."""
    return sorted(range(len(shared)), key=lambda n: (n != 0, -shared[n], n))


def _telling(text: str) -> frozenset[str]:
    return frozenset(plain(word)[:_STEM] for word in words_of(text) if len(word) > 3 and word not in _COMMON)


def _stands_alone(sentence: str) -> bool:
    """Not a sentence that leans on the one before it ("It takes 3 days.", "Without them, ...")."""
    return sentence.split()[0].strip(",").lower() not in _LEANING
