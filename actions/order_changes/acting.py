"""The summary before something is done, the yes that it takes, and doing it: the shop's own system acts.

Done is what was summarised, for an order of the phone that the signed webhook names, on an explicit yes to the question
asked last, and once. What the shop could not be asked, or did not answer, becomes a ticket that says so.
"""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.details import (
    ACT,
    CONFIRMED,
    FORM,
    NEW_ADDRESS,
    REASON,
    WISH,
    WISHED_IN,
    begins_now,
    details_of,
    message_id,
)  # fmt: skip
from actions.order_changes.items import ITEMS, NUMBER, listed
from actions.orders.lookup import Orders
from actions.orders.numbers import named
from actions.orders.repository import OrdersUnavailable
from actions.self_service.acts import ADDRESS as ADDRESS_CHANGE
from actions.self_service.acts import CANCEL, DONE, NOT_DONE, REFUSED, UNKNOWN, Act, digest
from actions.self_service.answers import Item
from actions.self_service.consent import is_yes
from actions.self_service.performing import Performed, SelfService
from actions.skill.action import Domain, Event, bot_events, message_metadata
from actions.skill.order_answers import told_before
from actions.skill.texts import Pieces

ASKS_CONFIRMATION = "utter_order_change_"
CONFIRM, AGAIN = "utter_self_service_confirm", "utter_self_service_again"
MADE = "changes_made"
MAX_MADE = 20
ON_ITS_WAY_S = 5.0  # a message that comes in so soon after a question may have been written before it
MAX_DELAY_S = 60.0  # of a message that is on its way; a clock that is wrong by more says nothing
YES_BUTTON = "/affirm"
TOLD = {
    UNKNOWN: "The shop's system was asked {attempts} times and never answered clearly ({why}): it may or may not have "
    "been done. Look before doing it again.",
    NOT_DONE: "Not done: the shop's system could not be asked ({why}). Nothing was changed.",
}


def planned(tracker: Tracker) -> str | None:
    """The digest of what the form has collected; None while some is missing, or where the shop is not to be asked."""
    details, number = details_of(tracker), tracker.get_slot(NUMBER)
    return digest(tracker.get_slot(ACT), number, details) if details is not None and number else None


def summarise(dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, again: bool) -> None:
    """Say in so many words what would be done, and ask for a yes."""
    pieces, number = Pieces(domain, "self_service"), str(tracker.get_slot(NUMBER))
    act = tracker.get_slot(ACT)
    facts: dict[str, Any] = {"order": named(number)}
    if act == ADDRESS_CHANGE:
        facts["address"] = tracker.get_slot(NEW_ADDRESS)
    elif act != CANCEL:
        items = [_said(item, pieces) for item in listed(tracker.get_slot(ITEMS))]
        facts |= {
            "items": ", ".join(items) or pieces.fill("whole_order"),
            "reason": tracker.get_slot(REASON),
            "wish": pieces.fill(tracker.get_slot(WISH)),
        }
    question = pieces.fill(f"question_{act}", **facts)
    dispatcher.utter_message(
        response=AGAIN if again else CONFIRM, question=question, number=number, plan=planned(tracker)
    )


def _said(item: Item, pieces: Pieces) -> str:
    some = item.chosen and item.chosen < item.quantity
    return pieces.fill("some_of", count=item.chosen, quantity=item.quantity, title=item.title) if some else item.named


def asked_for_plan(tracker: Tracker) -> bool:
    """Whether what the assistant said last is the summary of what would be done now."""
    plan, about = planned(tracker), next(bot_events(tracker), {}).get("metadata") or {}
    return plan is not None and about.get("utter_action") in (CONFIRM, AGAIN) and about.get("plan") == plan


def asked_last_turn(tracker: Tracker, number: str | None) -> bool:
    """Whether the turn before this one asked the same of the same order, and no new wish has begun since."""
    return not begins_now(tracker) and any(
        response.startswith((ASKS_CONFIRMATION, CONFIRM, AGAIN)) and about == number
        for response, about in told_before(tracker)
    )


def agreed(tracker: Tracker) -> bool:
    """Whether the message is an explicit yes to the summary of what would be done now, and to nothing else.

    The summary is what the assistant said last, before the message came in; a tap, or a message that quotes, is about
    that one. What a model reads into the words does not count.
    """
    plan, asked, message = planned(tracker), next(bot_events(tracker), {}), tracker.latest_message or {}
    if not asked_for_plan(tracker):
        return False
    metadata, text = message_metadata(tracker), str(message.get("text") or "")
    if _came_before(asked, metadata):
        return False
    if metadata.get("reply_to") and (metadata.get("quoted") or {}).get("plan") != plan:
        return False
    if not metadata.get("reply_to") and metadata.get("shown_plan", plan) != plan:
        return False  # it waits in the outbox: the customer has not seen it
    kind = metadata.get("kind")
    if metadata.get("heard"):
        return False  # a machine understood it so: it is asked again, and tapped
    if text == YES_BUTTON:
        return kind in (None, "button_reply", "list_reply")
    return kind in (None, "text") and is_yes(text, tracker.get_slot(ACT), str(tracker.get_slot(NUMBER)))


def _came_before(asked: Event, metadata: dict[str, Any]) -> bool:
    """Whether the message came in before the question, or was on its way when it was asked: Meta tells in whole
    seconds when it was sent.
    """
    at, received, sent = (float(of.get(name) or 0) for of, name in (
        (asked, "timestamp"), (metadata, "received_at"), (metadata, "timestamp")))  # fmt: skip
    on_its_way = received - ON_ITS_WAY_S < at and received - MAX_DELAY_S < sent < int(at)
    return bool(received) and (received < at or on_its_way)


async def carry_out(
    dispatcher: CollectingDispatcher, tracker: Tracker, orders: Orders, service: SelfService | None
) -> list[Event]:
    """Do what was agreed, or ask once more where it was not."""
    plan = planned(tracker)
    if plan is None or not agreed(tracker):
        return [SlotSet(CONFIRMED, None), FollowupAction(FORM)]
    number = str(tracker.get_slot(NUMBER))
    made = list(tracker.get_slot(MADE) or [])
    before = next((outcome for one, outcome in made if one == plan), None)
    if before == DONE:
        dispatcher.utter_message(response="utter_self_service_already", number=number)
        return forgotten(tracker)
    phone = message_metadata(tracker).get("phone")
    try:
        found = await orders.find([number], phone) if phone else {}
    except OrdersUnavailable:
        return _passed_on(dispatcher, tracker, Performed(NOT_DONE, why="the orders database is away"))
    if number not in found or service is None or tracker.get_slot(ACT) not in service.actions:
        return _passed_on(dispatcher, tracker, Performed(NOT_DONE, why="the order or the right to act is gone"))
    if before == UNKNOWN:
        return _passed_on(dispatcher, tracker, Performed(UNKNOWN, why="asked before in this conversation"))
    performed = await service.perform(_act(tracker, number, str(phone)))
    remembered = SlotSet(MADE, [*made, [plan, performed.outcome]][-MAX_MADE:])
    if performed.outcome == DONE:
        dispatcher.utter_message(response=f"utter_self_service_done_{tracker.get_slot(ACT)}", number=number)
        return [*forgotten(tracker), remembered]
    if performed.outcome == REFUSED:
        response = "utter_self_service_refused" if performed.reason else "utter_self_service_refused_plain"
        dispatcher.utter_message(response=response, number=number, reason=performed.reason)
        return [*forgotten(tracker), remembered]
    return [remembered, *_passed_on(dispatcher, tracker, performed)]


def _act(tracker: Tracker, number: str, phone: str) -> Act:
    wamid = message_id(tracker)
    wished_in = str(tracker.get_slot(WISHED_IN) or wamid)
    return Act(tracker.get_slot(ACT), number, phone, wamid, wished_in, details_of(tracker) or {})


def _passed_on(dispatcher: CollectingDispatcher, tracker: Tracker, performed: Performed) -> list[Event]:
    """Say what was and was not done, and call a person."""
    number = tracker.get_slot(NUMBER)
    dispatcher.utter_message(response=f"utter_self_service_{performed.outcome}", number=number)
    told = TOLD[performed.outcome].format(attempts=performed.attempts or 1, why=performed.why)
    return pass_on_change(tracker, [["outcome", told], *_sheet(tracker)])


def _sheet(tracker: Tracker) -> list[list[str]]:
    """What a person needs to do it by hand."""
    rows = [["new address", tracker.get_slot(NEW_ADDRESS)], ["reason", tracker.get_slot(REASON)],
            ["refund or exchange", tracker.get_slot(WISH)]]  # fmt: skip
    items = ", ".join(item.named for item in listed(tracker.get_slot(ITEMS)))
    return [[name, str(value)] for name, value in [*rows, ["items", items]] if value]


def forgotten(tracker: Tracker) -> list[Event]:
    """The wish is dealt with; its order is the one talked about."""
    number = tracker.get_slot(NUMBER)
    kept = [SlotSet("order_number", number)] if number else []
    return [*kept, SlotSet(NUMBER, None), SlotSet(CONFIRMED, None), SlotSet(ACT, None)]


def pass_on_change(tracker: Tracker, rows: list[list[str]] | None = None) -> list[Event]:
    """Call a person who does what the customer agreed to; the ticket says what that is, and `rows` beside it."""
    number, kind = tracker.get_slot(NUMBER), tracker.get_slot("change_kind")
    return [
        *forgotten(tracker),
        SlotSet("escalation_reason", "human_requested"),
        SlotSet("escalation_priority", "HIGH"),
        SlotSet("escalation_sheet", [["wish", f"{kind} order #{number}"], *(rows or [])]),
        FollowupAction("action_escalate"),
    ]
