"""What was talked about last, read from the conversation itself, so that nobody has to remember to forget it.

What a response was about stands with it in `domain.yml`. Small talk and misunderstandings leave the topic standing; it
ages with turns and minutes.
"""

from collections.abc import Iterator, Reversible

from rasa.shared.core.events import BotUttered, Event, SessionStarted, UserUtteranceReverted, UserUttered

import skills
from components.conversation.examples import NONE
from skills import CHANGE, OFFER, ORDER, ORDERS

MAX_TURNS = 5  # since the topic was talked about
MAX_MINUTES = 45.0
_CHANGE_FORM = "order_change_form"

def context_of(
    events: Reversible[Event], form: str | None = None, now: float | None = None, quoted: str | None = None
) -> str:
    """One of CONTEXTS: what the message that comes now follows.

    `form` is the active form's name, `quoted` the response that the message quotes, `now` in epoch seconds.
    """
    about_quoted = skills.load().counting(quoted).about if quoted else None
    if about_quoted:
        return about_quoted
    if form == _CHANGE_FORM:
        return CHANGE
    for age, (responses, at) in enumerate(_turns_backwards(events)):
        if age >= MAX_TURNS or (now is not None and at is not None and now - at > MAX_MINUTES * 60):
            return NONE
        subject = _subject(responses)
        if subject == OFFER and age:
            continue  # an offer that was passed over is off the table
        if subject:
            return subject
    return NONE


def _subject(responses: list[str]) -> str | None:
    """What the responses of a turn were about, the last of them first; None for small talk."""
    about = [subject for name in responses if (subject := skills.load().counting(name).about)]
    if about.count(ORDER) > 1:
        return ORDERS
    return about[-1] if about else None


def _turns_backwards(events: Reversible[Event]) -> Iterator[tuple[list[str], float | None]]:
    """The responses of each turn, newest first, with when the customer spoke; what was taken back is no turn."""
    responses: list[str] = []
    taken_back = False
    for event in reversed(events):
        if isinstance(event, SessionStarted):
            return
        if isinstance(event, BotUttered):
            responses.append(str((event.metadata or {}).get("utter_action") or ""))
        elif isinstance(event, UserUtteranceReverted):
            taken_back = True
        elif isinstance(event, UserUttered):
            if not taken_back:
                yield responses[::-1], event.timestamp
            responses, taken_back = [], False
