"""What a customer who waits for a person wants of the assistant: to have it back, or nothing more, as it is solved.

The dialogue does not run then, so the trained model is asked about the message alone. Taking the wish for granted where
there is none would end the wait of somebody who needs a person; a wish that is not seen costs one tap on a button. So
only what the model is sure of counts, and a message that also asks for a person, or has a business of its own that
"solved" does not end, goes to the person.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from components.intents.message_parts import sentences
from handoff.takeover.customer_messages import Wish

log = logging.getLogger(__name__)

BACK, SOLVED, PERSON = "return_to_bot", "problem_solved", "request_human"
TO_A_PERSON = frozenset({PERSON, "request_refund", "file_complaint"})  # what a person is called for by itself
MIN_CONFIDENCE = 0.6  # of a message or a sentence of it; the confidences are calibrated
MAX_CHARS = 400  # whoever writes more tells the person something
MAX_SENTENCES = 5
MIN_CLAUSE_WORDS = 3
MIN_DISMISSAL_WORDS = 2
DISMISSAL_WORDS = range(1, 8)  # of one that nothing divides from the question behind it: "leave the agent where is it"
MIN_CLAUSE_CONFIDENCE = 0.95  # of a wish in a piece of a sentence: "in the bubble wrap" is none
MIN_DISMISSAL_CONFIDENCE = 0.85  # of a clause that sends the person away, beside one that surely wishes something else
MIN_REFUSAL_CONFIDENCE = 0.95  # of one that only refuses, "actually forget it", beside a mere question
MOST_OF_A_STORY = 0.15  # a mere question is this at most what tells more of what went wrong
LEANING = 0.5  # of a message with a clause that surely wishes the assistant back: "no agent needed, when does it come"
MIN_CONFIDENCE_BESIDE = 0.8  # of one beside the wish to have the assistant back, which then answers it
# The assistant refused: "don't send me to the bot again", "bot nahi chahiye". The model hardly sees the denial. Where a
# person stands between the two, it is the person that is refused: "no need for a person the bot is fine".
_ASSISTANT = r"(?:bots?|robots?|rob[oô]s?|assistant|assistente|asistente|बॉट|रोबोट|असिस्टेंट)"
_SOMEBODY = (
    r"(?:person|people|human|agent|(?:any|some|no)(?:one|body)|insaan|pessoa|atendente|(?:al|nin)gu[ée]m|alguien|nadie)"
)
_BETWEEN = rf"(?:[ \t]+(?!{_SOMEBODY})[^\s,.;:!?]+)"
_REFUSES_US = re.compile(
    rf"(?<!\w)(?:do not|don[’']?t|not|stop|never|no|n[ãa]o|sin|sem){_BETWEEN}{{0,5}}?[ \t]+{_ASSISTANT}(?!\w)"
    rf"|(?<!\w){_ASSISTANT}{_BETWEEN}{{0,3}}?[ \t]+(?:nahi|nahin|nhi|mat|नहीं|मत)(?!\w)",
    re.IGNORECASE,
)
_COURTESIES = frozenset({"greet", "goodbye", "thank", "affirm", "deny"})
_STORIES = TO_A_PERSON | {"report_not_received"}
_QUESTIONS = frozenset({
    "check_order_status", "ask_delivery_date", "ask_courier", "list_orders", "check_refund_status", "ask_return_policy",
})  # fmt: skip

Parse = Callable[[str], Awaitable[Mapping[str, Any]]]
Dismisses = Callable[[str], bool]
"""Whether words, standing alone, are one of the shop's own for sending the person away."""


async def wish_of(text: str, parse: Parse, dismisses: Dismisses = lambda words: False) -> Wish | None:
    """The wish in a message, or None. `parse` reads a text as Rasa's `Agent.parse_message` does. Never raises."""
    if not text.strip() or len(text) > MAX_CHARS or _REFUSES_US.search(text):
        return None
    try:
        said = [await _intent(text, parse)]
        parts = [] if text.startswith("/") else sentences(text)[:MAX_SENTENCES]
        if len(parts) > 1:
            said = [await _intent(part, parse) for part in parts]
        elif BACK in said and await _dismissed_to_ask(text, parse, dismisses):
            return "assistant_and_more"
        elif {BACK, SOLVED} & set(said):
            least = MIN_CONFIDENCE_BESIDE if BACK in said else MIN_CLAUSE_CONFIDENCE
            said += filter(None, [await _intent(clause, parse, least) for clause in _clauses(text)])
        elif clauses := _clauses(text) if await _intent(text, parse, LEANING) == BACK else []:
            found = [await _intent(clause, parse) for clause in clauses]
            said += found if BACK in found else []
        if not {BACK, SOLVED, PERSON} & set(said) and await _dismissed_to_ask(text, parse, dismisses):
            return "assistant_and_more"
    except Exception as error:  # a message reaches its ticket whatever becomes of its meaning
        log.error("wishes.failed error=%s", type(error).__name__)
        return None
    return _wish(said)


async def asks_for_person(text: str, parse: Parse) -> bool:
    """Whether a message asks for a person, or for what is a person's, by the trained model. Never raises."""
    try:
        return len(text) <= MAX_CHARS and await _intent(text, parse) in TO_A_PERSON
    except Exception as error:  # the message that says how to get one was sent already
        log.error("wishes.failed error=%s", type(error).__name__)
        return False


async def _dismissed_to_ask(text: str, parse: Parse, dismisses: Dismisses) -> bool:
    """Whether a clause, or the words that the message begins with, surely send the person away, and the rest surely
    wishes something that is not a person's: "leave the agent, where is my order". The whole reads as the question then.

    Beside a refusal the rest must be a mere question: who goes on with what went wrong says "no" to that. Where nothing
    divides them only the shop's own words refuse: "do not copy your policy to me" refuses what stands behind.
    """
    if text.startswith("/"):
        return False
    clauses = _clauses(text, 1)
    pairs = [(clause, " ".join(clauses[:n] + clauses[n + 1 :])) for n, clause in enumerate(clauses)]
    divided = len(clauses) > 1
    if not divided:
        words = text.split()
        pairs = [(" ".join(words[:n]), " ".join(words[n:])) for n in DISMISSAL_WORDS if n <= len(words) - 2]
    for away, rest in pairs:
        read = await parse(away) if len(away.split()) >= MIN_DISMISSAL_WORDS else {}
        said = _surely(read, MIN_DISMISSAL_CONFIDENCE)
        refuses = said == BACK or (divided and _surely(read, MIN_REFUSAL_CONFIDENCE) == "deny") or dismisses(away)
        if not refuses:
            continue
        beside = await parse(rest)
        wished = _surely(beside, MIN_CONFIDENCE_BESIDE)
        if said == BACK and wished not in {None, BACK, SOLVED, *TO_A_PERSON, *_COURTESIES}:
            return True
        pages_may_say = said == BACK or dismisses(away)
        if refuses and _asks(beside, pages_may_say) >= MIN_CONFIDENCE_BESIDE and _is_no_story(beside):
            return True
    return False


def _asks(read: Mapping[str, Any], pages_may_say: bool) -> float:
    """How surely it is one of the mere questions, if the likeliest is: "how long does the refund take" is half one,
    half another. `pages_may_say`: what nothing is known of counts, since only the pages can tell ("where is the shop").
    """
    asked = _QUESTIONS | ({"out_of_scope"} if pages_may_say else frozenset())
    intent = read.get("intent") or {}
    found = {one["name"]: float(one["confidence"] or 0) for one in (*(read.get("intent_ranking") or ()), intent) if one}
    return sum(found.get(name, 0.0) for name in asked) if intent.get("name") in asked else 0.0


def _is_no_story(read: Mapping[str, Any]) -> bool:
    """Whether what was read hardly tells of something that went wrong."""
    ranking = read.get("intent_ranking") or ()
    return all(float(one["confidence"]) < MOST_OF_A_STORY for one in ranking if one["name"] in _STORIES)


def _clauses(text: str, words: int = MIN_CLAUSE_WORDS) -> list[str]:
    """What commas divide, from so many words on: "no agent needed, where is my order". Of these only what is sure says
    anything.
    """
    clauses = [clause.strip() for clause in re.split(r"[,.;:!?।]\s", text) if len(clause.split()) >= words]
    return clauses[:MAX_SENTENCES] if len(clauses) > 1 or "," in text else []


def _wish(said: list[str | None]) -> Wish | None:
    """`said`: what each sentence surely means, None for unsure."""
    more = any(intent not in {BACK, SOLVED, *_COURTESIES} for intent in said)
    if PERSON in said:
        return None
    if BACK in said:
        return "assistant_and_more" if more else "assistant"
    return "settled" if SOLVED in said and not more else None


async def _intent(text: str, parse: Parse, confidence: float = MIN_CONFIDENCE) -> str | None:
    return _surely(await parse(text), confidence)


def _surely(read: Mapping[str, Any], confidence: float) -> str | None:
    """What was surely meant, from `confidence` on; a person is asked for from MIN_CONFIDENCE on."""
    intent = read.get("intent") or {}
    least = MIN_CONFIDENCE if intent.get("name") == PERSON else confidence
    return str(intent["name"]) if float(intent.get("confidence") or 0) >= least else None
