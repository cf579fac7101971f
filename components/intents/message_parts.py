"""A message that says several things: which of them the customer wants answered.

"Hi! Love your lamps. Mine has not come yet, where is it?" The whole is read first; only when that is unsure, or sounds
like small talk, do its sentences speak for themselves, by their n-grams. The last sentence with business in it wins,
because people tell the story first and ask at the end; but an outburst after a question leaves the question standing.
"""

import re
import sys
from collections.abc import Callable, Mapping

import skills
from components.text.classifier import Prediction
from privacy.indic import SIGNS

_OUTBURST = "file_complaint"
_END = re.compile(rf"(?:(?<=[^\W\d].)|(?<=[{SIGNS}].))(?<=[.!?।])\s+|[\n\r]+|(?<=[!?।])(?=\w)")
_MAX_SENTENCES = 12  # sentences read on their own
_SETTLED = 0.75  # the whole is believed from this confidence on
_PART = 0.65  # the part's share when it is blended with the whole
_CLEAR = 0.85  # a sentence is believed from this confidence on
_LONG = 30  # words from which a message without full stops is a story
_WINDOW = 14  # words of it that are read at a time
_JOINT = re.compile(r"[,;:?!।\n]+|\.\s|\s[-–—]\s|\s(?:and|also|aur|और|plus|e|y)\s", re.I)
_QUESTION = 0.55  # a clause is a question of its own from this confidence on
_MIN_WORDS = 3  # words of a question that stands by itself
_MAX_CLAUSES = 5
_MIN_END, _MOST_ENDS = 3, 5  # words at the end of a message that may ask something alone, and how many ends are tried
_SURE_END = 0.95
_ANSWERS, _ELSE = ("affirm", "deny"), "out_of_scope"
_FROM_PAGES = frozenset({_ELSE, "ask_return_policy"})  # both are looked up there
THANK = "thank"
_COURTESIES = frozenset({THANK, "greet", "affirm"})
_TURN = re.compile(r"[,.;:!?।\n]+|\s[-–—]\s|\s(?:and|also|but|n|aur|par|lekin|e|mas|y|pero|और|पर|लेकिन)(?=\s)", re.I)
_ASKED_BEHIND, _LEAST_SHARE = 0.7, 0.25  # of what stands behind thanks by itself, and of that in the whole
_SURELY_BEHIND = 0.9


def sentences(text: str) -> list[str]:
    """The last sentences of a message that have at least two words."""
    return [part.strip() for part in _END.split(text) if len(part.split()) > 1][-_MAX_SENTENCES:]


def reconsider(
    text: str, whole: Prediction, read: Callable[[str], Prediction], most: int = sys.maxsize
) -> Prediction:
    """The prediction for the message, given that for the whole and a reader of one sentence, for `most` at the end."""
    small_talk = skills.load().small_talk
    if whole.confidence >= _SETTLED and whole.label not in small_talk:
        return whole
    parts = sentences(text)
    if len(text.split()) >= _LONG:
        parts = [piece for part in parts or [text] for piece in _windows(part)]
    if len(parts) < 2:
        return whole
    clear = [p for p in map(read, parts[-most:]) if p.confidence >= _CLEAR and p.label not in small_talk]
    asked = [p for p in clear if p.label != _OUTBURST] or clear
    return _blend(whole, asked[-1]) if asked else whole


def two_wishes(
    text: str, read: Callable[[str], Prediction], topics: Mapping[str, frozenset[str]]
) -> list[tuple[str, str]]:
    """(intent, clause) of two clauses that each clearly want something of another topic; else nothing.

    `topics` names the intents of each topic that can be answered one after the other.
    """
    clauses = [clause.strip() for clause in _JOINT.split(text) if len(clause.split()) >= _MIN_WORDS]
    if not 2 <= len(clauses) <= _MAX_CLAUSES:
        return []
    found: dict[str, tuple[str, str]] = {}
    for clause in clauses:
        prediction = read(clause)
        topic = next((name for name, intents in topics.items() if prediction.label in intents), None)
        if topic and prediction.confidence >= _QUESTION:
            found.setdefault(topic, (prediction.label, clause))
    return list(found.values()) if len(found) == 2 else []


def answer_beside(text: str, read: Callable[[str], Prediction]) -> tuple[str, Prediction | None] | None:
    """"affirm" or "deny" where the message also says one of them, first or last, and what else it wants, if that is
    clear: "leave it, do you have a shop?".
    """
    clauses = [clause.strip() for clause in _JOINT.split(text) if clause.strip()]
    if not 2 <= len(clauses) <= _MAX_CLAUSES:
        return None
    said = [read(clause) for clause in clauses]
    last = [] if text.rstrip().endswith("?") or len(clauses[-1].split()) < 2 else said[-1:]
    answers = [one for one in said[:1] + last if one.confidence >= _CLEAR and one.label in _ANSWERS]
    small_talk = skills.load().small_talk
    wished = [one for one in said if (_asked_of_pages(one) >= _CLEAR if one.label == _ELSE
                                      else one.confidence >= _QUESTION)]  # fmt: skip
    wished = [one for one in wished if one.label not in small_talk - {_ELSE}]
    return (answers[0].label, wished[-1] if wished else None) if answers else None


def _asked_of_pages(one: Prediction) -> float:
    """How surely it asks what only the pages could answer, whether they are known to or not."""
    return sum(confidence for label, confidence in one.ranking if label in _FROM_PAGES)


def asked_beside(
    text: str, read: Callable[[str], Prediction], topics: Mapping[str, frozenset[str]]
) -> Prediction | None:
    """The question that a clause surely asks beside what the whole says: "no agent needed, where is my order".

    Where nothing divides them, the words at the end may ask it: "forget the agent just tell me where it is".
    """
    clauses = [clause for clause in _JOINT.split(text) if len(clause.split()) >= _MIN_WORDS][:_MAX_CLAUSES]
    asked = frozenset().union(*topics.values())

    def sure(one: Prediction) -> float:
        """Of any question: "when does it come" is half one, half another."""
        return sum(share for label, share in one.ranking if label in asked) if one.label in asked else 0.0

    said, least = [*map(read, clauses[1:] and clauses)], _CLEAR
    words = text.split()
    if not clauses[1:] and _MIN_END < len(words) < _LONG:
        said, least = [*map(read, _ends(words))], _SURE_END
    return next((prediction for prediction in reversed(said) if sure(prediction) >= least), None)


def asked_with_thanks(text: str, whole: Prediction, read: Callable[[str], Prediction]) -> Prediction | None:
    """What is asked behind a thank-you: "ok thanks, and how do I get the bill".

    Without a question mark only what the whole means a little as well counts, or what is surely of no page: like a
    question for the pages all kinds of things sound.
    """
    behind = _behind_thanks(text, read)
    if len(behind.split()) < 2:
        return None
    one = read(behind)
    if one.label in skills.load().small_talk:
        return None
    meant = dict(whole.ranking).get(one.label, 0.0) >= _LEAST_SHARE and one.confidence >= _ASKED_BEHIND
    surely = one.label not in _FROM_PAGES and one.confidence >= _SURELY_BEHIND
    return one if text.rstrip().endswith("?") or meant or surely else None


def _behind_thanks(text: str, read: Callable[[str], Prediction]) -> str:
    """What stands behind the clauses of courtesy that a message begins with, if thanks are among them; else ''."""
    begin, thanked = 0, False
    for turn in list(_TURN.finditer(text))[:_MAX_CLAUSES]:
        if clause := text[begin : turn.start()].strip():
            said = read(clause)
            if said.label not in _COURTESIES or said.confidence < _CLEAR:
                break
            thanked = thanked or said.label == THANK
        begin = turn.end()
    return text[begin:].strip() if thanked else ""


def _ends(words: list[str]) -> list[str]:
    """The last words of a message, the fewest first."""
    most = min(len(words) - 1, _MIN_END + _MOST_ENDS)
    return [" ".join(words[-n:]) for n in range(_MIN_END, most)]


def _windows(text: str) -> list[str]:
    """Overlapping pieces of a story told without a full stop."""
    words = text.split()
    if len(words) <= _WINDOW + _WINDOW // 2:
        return [text]
    starts = range(0, len(words) - _WINDOW // 2, _WINDOW // 2)
    return [" ".join(words[start : start + _WINDOW]) for start in starts]


def _blend(whole: Prediction, part: Prediction) -> Prediction:
    """The part's ranking, tempered by the whole's."""
    shares = dict.fromkeys((name for name, _ in (*whole.ranking, *part.ranking)), 0.0)
    for prediction, share in ((whole, 1 - _PART), (part, _PART)):
        for name, confidence in prediction.ranking:
            shares[name] += share * confidence
    return Prediction(tuple(sorted(shares.items(), key=lambda item: -item[1])), whole.embedded)
