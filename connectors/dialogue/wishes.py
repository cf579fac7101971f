"""What a customer who waits for a person wants of the assistant: to have it back, or nothing more, as it is solved.

The dialogue does not run then, so the trained model is asked about the message alone. Taking the wish for granted where
there is none would end the wait of somebody who needs a person; a wish that is not seen costs one tap on a button. So
only what the model is sure of counts, and a message that also asks for a person, or has a business of its own that
"solved" does not end, goes to the person.
"""

import logging
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
MIN_CLAUSE_CONFIDENCE = 0.95  # of a wish in a piece of a sentence: "in the bubble wrap" is none
LEANING = 0.5  # of a message with a clause that surely wishes the assistant back: "no agent needed, when does it come"
MIN_CONFIDENCE_BESIDE = 0.8  # of one beside the wish to have the assistant back, which then answers it
_COURTESIES = frozenset({"greet", "goodbye", "thank", "affirm", "deny"})

Parse = Callable[[str], Awaitable[Mapping[str, Any]]]


async def wish_of(text: str, parse: Parse) -> Wish | None:
    """The wish in a message, or None. `parse` reads a text as Rasa's `Agent.parse_message` does. Never raises."""
    if not text.strip() or len(text) > MAX_CHARS:
        return None
    try:
        said = [await _intent(text, parse)]
        parts = [] if text.startswith("/") else sentences(text)[:MAX_SENTENCES]
        if len(parts) > 1:
            said = [await _intent(part, parse) for part in parts]
        elif {BACK, SOLVED} & set(said):
            least = MIN_CONFIDENCE_BESIDE if BACK in said else MIN_CLAUSE_CONFIDENCE
            said += filter(None, [await _intent(clause, parse, least) for clause in _clauses(text)])
        elif clauses := _clauses(text) if await _intent(text, parse, LEANING) == BACK else []:
            found = [await _intent(clause, parse) for clause in clauses]
            said += found if BACK in found else []
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


def _clauses(text: str) -> list[str]:
    """What commas divide: "no agent needed, where is my order". Of these only what is sure says anything."""
    clauses = [clause.strip() for clause in text.split(",") if len(clause.split()) >= MIN_CLAUSE_WORDS]
    return clauses[:MAX_SENTENCES] if "," in text else []


def _wish(said: list[str | None]) -> Wish | None:
    """`said`: what each sentence surely means, None for unsure."""
    more = any(intent not in {BACK, SOLVED, *_COURTESIES} for intent in said)
    if PERSON in said:
        return None
    if BACK in said:
        return "assistant_and_more" if more else "assistant"
    return "settled" if SOLVED in said and not more else None


async def _intent(text: str, parse: Parse, confidence: float = MIN_CONFIDENCE) -> str | None:
    """What a text surely means, from `confidence` on; a person is asked for from MIN_CONFIDENCE on."""
    intent = (await parse(text)).get("intent") or {}
    least = MIN_CONFIDENCE if intent.get("name") == PERSON else confidence
    return str(intent["name"]) if float(intent.get("confidence") or 0) >= least else None
