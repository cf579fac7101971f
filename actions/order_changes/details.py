"""What order_change_form still has to know where the shop itself can be asked to act: address, items, reason, wish.

`change_act` says which of the shop's actions that is; without it a person does what the customer wants, and nothing of
this is asked. One question at a time; what a message said already is not asked again.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

import skills
from actions.knowledge.pages.documents import KnowledgeError
from actions.knowledge.return_window import ReturnWindow
from actions.order_changes.items import ITEMS, NUMBER, OFFERED, chosen, entries, listed, picked_items, returnable
from actions.orders.days import shop_today
from actions.orders.lookup import Orders
from actions.orders.models import Order, OrderStatus
from actions.self_service import answers
from actions.self_service.acts import ADDRESS, CANCEL, RETURNS, plain
from actions.self_service.answers import MAX_REASON_CHARS, OTHER
from actions.self_service.consent import is_yes
from actions.skill import services
from actions.skill.action import Domain, Event, in_form, intent_name, message_metadata, message_text
from actions.skill.order_answers import outside_addresses

log = logging.getLogger(__name__)

FORM = "order_change_form"
CONFIRMED = "change_confirmed"
TARGET, NEW_ADDRESS, REASON, WISH = "change_target", "change_address", "change_reason", "change_wish"
DETAILS = (TARGET, NEW_ADDRESS, ITEMS, REASON, WISH)
ACT, WISHED_IN = "change_act", "change_wished_in"
OF_THE_ORDER = (ACT, ITEMS, OFFERED)  # known anew with another order
NOT_WITH_THE_COURIER = frozenset({OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PACKED})
KINDS = {"cancel_order": "cancel", "change_order": "change", "start_return": "return"}
STARTS_ANEW = frozenset({"cancel_order", "start_return"})
SAYS_MORE = frozenset({"nlu_fallback", "out_of_scope"})  # words about the change that mean nothing by themselves
STOPS = frozenset({"deny", "goodbye", "thank"})
MIN_YES_CONFIDENCE = 0.75  # "next" may be read as one
MIN_WISH_CONFIDENCE = 0.97  # that "cancel it instead" is a wish; "i need an M" is a reason
MIN_STOP_CONFIDENCE = 0.9  # "no" stops, "too small" is a reason
AGREES, DECLINES = "affirm", "deny"
ACT_OF = {"cancel": CANCEL, "change": ADDRESS, "return": RETURNS}


async def orders_for(orders: Orders, phone: str, kind: str | None) -> list[Order]:
    """The orders that this can be done with: what has arrived can be returned, the rest cancelled or changed."""
    if kind != "return":
        return await orders.open_orders(phone)
    return [order for order in await orders.all_orders(phone) if order.status is OrderStatus.DELIVERED]


def not_with_the_courier(order: Order) -> bool:
    """Whether the order is still with the shop, by its status."""
    late_before_the_courier = order.status is OrderStatus.DELAYED and not order.carrier
    return order.status in NOT_WITH_THE_COURIER or late_before_the_courier


def possible_act(order: Order | None, kind: str | None) -> str | None:
    """The shop's action for what the customer wants, where it may be asked for; None: a person.

    What the order's status forbids is not asked for; where the status is not understood, the shop decides.
    """
    service, act = services.self_service(), ACT_OF.get(kind or "")
    if order is None or service is None or act not in service.actions:
        return None
    if act == RETURNS:
        fits = order.status is OrderStatus.DELIVERED and (not order.items or bool(returnable(order)))
    else:
        fits = not_with_the_courier(order)
    return act if fits or order.status is None else None


def known_from(order: Order | None, kind: str | None) -> dict[str, Any]:
    """Slots that follow from which order it is: what may be asked of the shop, and its items to choose from.

    An order of one item, or of none that is known, leaves nothing to choose but how many; no items are the whole order.
    """
    act = possible_act(order, kind)
    if order is None or act != RETURNS:
        return {ACT: act, OFFERED: None, ITEMS: None}
    offered = returnable(order)
    if len(offered) == 1:
        return {ACT: act, **chosen(offered, [replace(offered[0], chosen=int(offered[0].quantity == 1))])}
    return {ACT: act, OFFERED: entries(offered), ITEMS: None if offered else []}


async def window_that_is_over(order: Order | None, kind: str | None) -> ReturnWindow | None:
    """The window for returns that is over for sure; None where it is not, or where page or table do not say."""
    if kind != "return" or order is None or order.delivered_on is None:
        return None
    try:
        window = await asyncio.to_thread(lambda: services.knowledge().return_window())
    except KnowledgeError as error:
        log.warning("knowledge.unavailable problem=%s", error)
        return None
    over = window is not None and (shop_today() - order.delivered_on).days > window.days
    return window if over else None


def begun(tracker: Tracker) -> list[Event]:
    """Slots as a new wish leaves them: what its message says of the details, and nothing of the last one."""
    text = _words(tracker)
    goes_on = in_form(tracker) and KINDS.get(intent_name(tracker)) == tracker.get_slot("change_kind")
    said = {
        TARGET: ADDRESS if answers.names_address(text) else None,
        NEW_ADDRESS: answers.address(text, asked=False),
        WISH: answers.wish(text),
        WISHED_IN: (tracker.get_slot(WISHED_IN) if goes_on else None) or message_id(tracker),
    }
    forgotten = dict.fromkeys((NUMBER, CONFIRMED, *DETAILS, *OF_THE_ORDER, "requested_slot"))
    return [SlotSet(name, value) for name, value in {**forgotten, **said}.items()]


def begins_now(tracker: Tracker) -> bool:
    """Whether the wish began with the latest message."""
    return bool(tracker.get_slot(WISHED_IN) == message_id(tracker))


def message_id(tracker: Tracker) -> str:
    """The wamid. Without a channel (rasa shell) each message still has an id of its own."""
    message = tracker.latest_message or {}
    return str(message_metadata(tracker).get("wamid") or message.get("message_id") or tracker.sender_id)


class ChangeDetails:
    """The part of the form that reads the details; a mixin of the form's validation action."""

    async def required_slots(
        self, domain_slots: Sequence[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[str]:
        """What has to be known, in the order in which it is asked."""
        act = tracker.get_slot(ACT)
        asked: list[str] = []
        if act == ADDRESS:
            asked = [TARGET] if tracker.get_slot(TARGET) == OTHER else [TARGET, NEW_ADDRESS]
        elif act == RETURNS:
            asked = [ITEMS, REASON, WISH]
        return [NUMBER, *asked, CONFIRMED]

    async def extract_change_target(self, _: Any, tracker: Tracker, __: Domain) -> dict[str, Any]:
        if not _asked_for(TARGET, tracker):
            return {}
        if found := answers.address(_words(tracker), asked=True):
            return {TARGET: ADDRESS, NEW_ADDRESS: found}
        if is_aside(tracker):
            return {}
        return {TARGET: _option(tracker) or (ADDRESS if answers.names_address(_words(tracker)) else OTHER)}

    async def extract_change_address(self, _: Any, tracker: Tracker, __: Domain) -> dict[str, Any]:
        found = another_address(tracker)
        if not _asked_for(NEW_ADDRESS, tracker):
            return {NEW_ADDRESS: found} if found else {}
        return {NEW_ADDRESS: found} if found or not is_aside(tracker) else {}

    async def extract_change_items(self, _: Any, tracker: Tracker, __: Domain) -> dict[str, Any]:
        if not _asked_for(ITEMS, tracker):
            return {}
        picked = picked_items(listed(tracker.get_slot(OFFERED)), _option(tracker), _words(tracker))
        aside = is_aside(tracker) and (not picked or _asks_or_wishes(tracker))
        return {} if aside else {ITEMS: entries(picked) or None}

    async def validate_change_items(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """They are chosen once it is known how many of each."""
        return chosen(listed(tracker.get_slot(OFFERED)), listed(value)) if value else {ITEMS: value}

    async def extract_change_reason(self, _: Any, tracker: Tracker, __: Domain) -> dict[str, Any]:
        if not _asked_for(REASON, tracker):
            return {}
        text = str(message_metadata(tracker).get("typed") or "") if _option(tracker) else _words(tracker)
        no_reason = _asks_or_wishes(tracker) or is_yes(text, RETURNS, str(tracker.get_slot(NUMBER)))
        if is_aside(tracker) and (no_reason or _stops(tracker)):
            return {}
        return {REASON: None if no_reason else plain(text, MAX_REASON_CHARS) or None}

    async def extract_change_wish(self, _: Any, tracker: Tracker, __: Domain) -> dict[str, Any]:
        if not _asked_for(WISH, tracker):
            return {}
        said = _option(tracker) or _words(tracker)
        found = None if _asks_or_wishes(tracker) else answers.wish(said)
        return {WISH: found} if found or not is_aside(tracker) else {}

    async def _taken_as_it_is(self, *_: Any) -> dict[str, Any]:
        """What was extracted is right already; without such a method the SDK warns on every answer."""
        return {}

    validate_change_target = validate_change_address = _taken_as_it_is
    validate_change_reason = validate_change_wish = _taken_as_it_is


def another_address(tracker: Tracker) -> str | None:
    """The address that the message gives, in answer to the question for one or to the summary that holds another."""
    text, waits = _words(tracker), tracker.get_slot("requested_slot")
    if waits == NEW_ADDRESS:
        aside = is_aside(tracker) and _asks_or_wishes(tracker)
        return None if aside else answers.address(text, asked=True)
    summed_up = waits == CONFIRMED and tracker.get_slot(ACT) == ADDRESS and tracker.get_slot(NEW_ADDRESS)
    return answers.address(text, asked=True) if summed_up and any(sign in text for sign in ",\n") else None


def asking_for_details(tracker: Tracker) -> bool:
    """Whether the form waits for one of the details: then digits are no order number."""
    return tracker.get_slot("requested_slot") in DETAILS


def details_of(tracker: Tracker) -> Mapping[str, Any] | None:
    """The details of the act as the shop is told them; None where something of them is not known."""
    act = tracker.get_slot(ACT)
    if act == CANCEL:
        return {}
    if act == ADDRESS and tracker.get_slot(TARGET) == ADDRESS and tracker.get_slot(NEW_ADDRESS):
        return {"address": tracker.get_slot(NEW_ADDRESS)}
    items, reason, wish = (tracker.get_slot(name) for name in (ITEMS, REASON, WISH))
    if act != RETURNS or items is None or not reason or not wish:
        return None
    return {
        "items": [{"item_id": item.item_id, "quantity": item.chosen or item.quantity} for item in listed(items)],
        "reason": reason,
        "wish": wish,
    }


def _asked_for(name: str, tracker: Tracker) -> bool:
    return bool(tracker.get_slot("requested_slot") == name)


def answered_beside(tracker: Tracker) -> str | None:
    """AGREES or DECLINES, where the message says so beside something else: "leave it, do you have a shop in Pune?"."""
    return (tracker.latest_message or {}).get("answer")


def only_signs(text: str) -> bool:
    """Whether a message is an impatient "??" and no more."""
    return bool(text.strip()) and not text.strip(" ?!.…")


def _words(tracker: Tracker) -> str:
    """What was typed; a pressed button has no words."""
    text = message_text(tracker)
    return "" if text.startswith("/") else text


def _option(tracker: Tracker) -> str:
    """What was picked from the buttons or rows of a question for details, else ''."""
    entities = (tracker.latest_message or {}).get("entities") or []
    return next((str(one.get("value")) for one in entities if one.get("entity") == "option"), "")


def _stops(tracker: Tracker) -> bool:
    return intent_name(tracker) in STOPS and confidence(tracker) >= MIN_STOP_CONFIDENCE


def confidence(tracker: Tracker) -> float:
    """How surely the latest message was read as its intent, 0 to 1."""
    return float(((tracker.latest_message or {}).get("intent") or {}).get("confidence") or 0)


def _asks_or_wishes(tracker: Tracker) -> bool:
    """Whether the words ask something, name an order, or wish something else, and so are no answer themselves."""
    return answers.asks(_words(tracker)) or _names_an_order(tracker) or _wishes_another_thing(tracker)


def _names_an_order(tracker: Tracker) -> bool:
    """Whether a number is named that is no part of an address."""
    return bool(outside_addresses(tracker))


def _wishes_another_thing(tracker: Tracker) -> bool:
    return wishes_something_else(tracker) and confidence(tracker) >= MIN_WISH_CONFIDENCE


def wishes_something_else(tracker: Tracker) -> bool:
    """Whether the message, in the middle of one wish, is another: a rule begins it."""
    kind = tracker.get_slot("change_kind")
    return in_form(tracker) and KINDS.get(intent_name(tracker), kind) != kind


def is_aside(tracker: Tracker) -> bool:
    """Whether the message is for a rule and no answer: a question in between, "no", another wish.

    What means nothing by itself belongs to the change, unless it has the form of a question.
    """
    intent = intent_name(tracker)
    if intent in SAYS_MORE:
        beside = answered_beside(tracker)
        return beside == DECLINES or (answers.asks(_words(tracker)) and beside != AGREES)
    another = wishes_something_else(tracker) and _names_an_order(tracker)
    anew = intent in STARTS_ANEW or another or _wishes_another_thing(tracker)
    return anew or intent in skills.load().asides.get(FORM, ())
