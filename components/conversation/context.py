"""What was talked about last, read from the conversation itself, so that nobody has to remember to forget it.

A response's name says what it was about (`utter_<topic>_<outcome>`). Small talk and misunderstandings leave the topic
standing; it ages with turns and minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Reversible

from rasa.shared.core.events import BotUttered, Event, SessionStarted, UserUtteranceReverted, UserUttered

from components.conversation.examples import CHANGE, DECLINED, NONE, NUMBER, OFFER, ORDER, ORDERS, POLICY, REFUND

MOST_TURNS = 5  # since the topic was talked about
MOST_MINUTES = 45.0
_CHANGE_FORM = "order_change_form"
_BY_RESPONSE = {
    "utter_order_status_not_found": NUMBER,
    "utter_order_status_misshaped": NUMBER,
    "utter_order_status_what_numbers_look_like": NUMBER,
    "utter_order_status_no_open_orders": NUMBER,
    "utter_order_status_no_other_order": NUMBER,
    "utter_order_status_share_contact": NUMBER,
    "utter_order_change_ask_number": CHANGE,
    "utter_order_status_choose": ORDERS,
    "utter_order_status_choose_many": ORDERS,
    "utter_order_status_choose_again": ORDERS,
    "utter_order_status_all": ORDERS,
    "utter_order_status_no_refund": REFUND,
    "utter_order_status_returned": REFUND,
    "utter_order_status_refunded": REFUND,
    "utter_order_status_cancelled": REFUND,
    "utter_return_policy_not_covered": DECLINED,
    "utter_handoff_offer": OFFER,
    "utter_clarification_out_of_scope_again": OFFER,
}
_BY_TOPIC = {"order_status": ORDER, "order_change": ORDER, "return_policy": POLICY}


def context_of(
    events: Reversible[Event], form: str | None = None, now: float | None = None, quoted: str | None = None
) -> str:
    """One of CONTEXTS: what the message that comes now follows.

    `form` is the active form's name, `quoted` the response that the message quotes, `now` in epoch seconds.
    """
    about_quoted = _of_response(quoted) if quoted else None
    if about_quoted:
        return about_quoted
    if form == _CHANGE_FORM:
        return CHANGE
    for age, (responses, at) in enumerate(_turns_backwards(events)):
        if age >= MOST_TURNS or (now is not None and at is not None and now - at > MOST_MINUTES * 60):
            return NONE
        subject = _subject(responses)
        if subject == OFFER and age:
            continue  # an offer that was passed over is off the table
        if subject:
            return subject
    return NONE


def _subject(responses: list[str]) -> str | None:
    """What the responses of a turn were about, the last of them first; None for small talk."""
    about = [subject for name in responses if (subject := _of_response(name))]
    if about.count(ORDER) > 1:
        return ORDERS
    return about[-1] if about else None


def _of_response(name: str) -> str | None:
    if name in _BY_RESPONSE:
        return _BY_RESPONSE[name]
    return next((subject for topic, subject in _BY_TOPIC.items() if name.startswith(f"utter_{topic}_")), None)


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
