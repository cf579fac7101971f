"""What is said about orders, and what is remembered of it: the parts that all order actions share.

Slots: `order_number`, the order that was talked about last; `orders_shown`, every one told in this conversation, newest
last; `orders_offered`, the list that was offered last, in its order, so that "the second one" has something to count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

import skills
from actions.orders.choosing import points_at_one
from actions.orders.denials import all_denied, denied
from actions.orders.models import Order, OrderStatus
from actions.orders.numbers import named, normal_number
from actions.orders.phrases import OrderPhrases
from actions.skill.action import Event, bot_events, message_metadata, message_text, turns_backwards
from privacy import addresses
from skills import ORDERS

MAX_ANSWERS = 3  # orders told in one turn
MAX_ROWS = 10  # WhatsApp's limit for a list
MAX_REMEMBERED = 20
OFFER, OFFER_STILL = "utter_handoff_offer", "utter_handoff_offer_still"
_LIKE_A_NUMBER = re.compile(r"(?<!\S)#?[\w/-]*\d{3}[\w/-]*")  # what is denied is seldom read as an order number
_ONLY_DIGITS = re.compile(r"#?\d{3,9}")  # more are a phone
LATELY = 8  # turns in which what was asked twice is not asked again


@dataclass(frozen=True)
class OrderTurn:
    """One turn about orders: who asks (E.164) and in which words, about which numbers, and what was said before.

    `told_before` holds (response, order number) of what was said in the turn before this one, `told_lately` in the
    last LATELY; `wanted_for` is the action that asked which order, where this message only says which; `on_picture` are
    the words read on a picture, `points_away`: a number is named only to mean another; `named_since_change` the orders
    told of since the customer changed their phone number, `missed` those that are shown as delivered and that the
    customer does not have.
    """

    phone: str
    text: str
    numbers: list[str]
    last_shown: str | None
    shown: list[str]
    offered: list[str]
    told_before: frozenset[tuple[str, str]]
    misshaped: str | None
    failed: float
    say: CollectingDispatcher
    phrases: OrderPhrases
    wanted_for: str | None = None
    on_picture: Sequence[str] = ()
    points_away: bool = False
    named_since_change: Sequence[str] = ()
    missed: frozenset[str] = frozenset()
    told_lately: frozenset[tuple[str, str]] = frozenset()

    def tell(self, orders: Sequence[Order]) -> list[Event]:
        """Give the status of up to three orders, and point at the rest; never the same words twice in a row."""
        for order in orders[:MAX_ANSWERS]:
            response, facts = self.status_anew(order) if len(orders) == 1 else self.phrases.status(order)
            self.say.utter_message(response=response, **facts)
        self.point_at([order.number for order in orders[MAX_ANSWERS:]])
        return self.remember(orders[:MAX_ANSWERS])

    def status_anew(self, order: Order) -> tuple[str, dict[str, str]]:
        """The status, in fewer words where it has just been told."""
        if order.number in self.missed and order.status is OrderStatus.DELIVERED:
            return self.unless_told(order, *self.phrases.not_received(order))  # nobody hopes that they love it
        response, facts = self.phrases.status(order)
        return self.phrases.unchanged(order) if (response, order.number) in self.told_before else (response, facts)

    def told_of(self, order: Order) -> set[str]:
        """The responses about an order in the turn before this one."""
        return {response for response, number in self.told_before if number == order.number}

    def unless_told(self, order: Order, response: str, facts: dict[str, str]) -> tuple[str, dict[str, str]]:
        """This once; to whoever goes on with the same story, a person, in other words each time."""
        offered = next((name for name, _ in self.told_before if name in (OFFER, OFFER_STILL)), None)
        if (response, order.number) not in (self.told_lately if offered else self.told_before):
            return response, facts
        return (OFFER_STILL if offered == OFFER else OFFER), {}

    def point_at(self, left: Sequence[str]) -> None:
        """Name the orders that this answer leaves out."""
        if left:
            numbers = ", ".join(named(number) for number in left[:MAX_ROWS])
            self.say.utter_message(response="utter_order_status_more", order_numbers=numbers)

    def choose(self, orders: Sequence[Order]) -> list[Event]:
        """Offer a list to pick from."""
        response = "utter_order_status_choose_many" if len(orders) > MAX_ROWS else "utter_order_status_choose"
        return self.offer(orders, response)

    def offer(self, orders: Sequence[Order], response: str) -> list[Event]:
        """Offer a list to pick from under the text of `response`."""
        if self.offered == [order.number for order in orders[:MAX_ROWS]] and self.list_was_shown:
            response = "utter_order_status_choose_again"
        offer_list(orders, self.say, self.phrases, response)
        return [
            SlotSet("failed_lookups", 0),
            SlotSet("awaiting_order_number", True),
            SlotSet("orders_offered", [order.number for order in orders[:MAX_ROWS]]),
        ]

    @property
    def just_told(self) -> bool:
        """Whether the turn before this one spoke of the order talked about."""
        return any(number == self.last_shown for _, number in self.told_before)

    @property
    def list_was_shown(self) -> bool:
        """Whether the turn before this one ended with a list of orders."""
        return any(skills.load().counting(response).about == ORDERS for response, _ in self.told_before)

    def tell_or_choose(self, orders: Sequence[Order], none: str) -> list[Event]:
        """One order: its status. Several: a list. None: the response `none`, which asks for a number."""
        if not orders:
            self.say.utter_message(response=none)
            return [SlotSet("awaiting_order_number", True)]
        return self.tell(orders) if len(orders) == 1 else self.choose(orders)

    def wait_for_number(self) -> list[Event]:
        """The next message may be the number."""
        return [SlotSet("awaiting_order_number", True)]

    def remember(self, orders: Iterable[Order]) -> list[Event]:
        """What the next question may refer to."""
        numbers = [order.number for order in orders]
        shown = [number for number in self.shown if number not in numbers] + numbers
        return [
            SlotSet("order_number", numbers[-1]),
            SlotSet("orders_shown", shown[-MAX_REMEMBERED:]),
            *([SlotSet("orders_offered", numbers)] if len(numbers) > 1 else []),
            SlotSet("failed_lookups", 0),
            SlotSet("awaiting_order_number", False),
        ]

    def one_more_failure(self, ask_again: bool) -> list[Event]:
        """Count a turn that did not help."""
        return [SlotSet("failed_lookups", self.failed + 1), SlotSet("awaiting_order_number", ask_again)]


def offer_list(
    orders: Sequence[Order], dispatcher: CollectingDispatcher, phrases: OrderPhrases, response: str, **facts: str
) -> None:
    """A WhatsApp list of the orders, at most ten, under the text of `response`."""
    rows = [phrases.row(order) for order in orders[:MAX_ROWS]]
    custom = {"type": "list", "button": phrases.list_button(), "rows": rows}
    # Rasa takes the text from the response and the rows from here; the channel makes one list of both.
    dispatcher.utter_message(response=response, json_message=custom, count=len(orders), shown=len(rows), **facts)


def told_before(tracker: Tracker) -> frozenset[tuple[str, str]]:
    """(response, order number or '') of everything said in the turn before this one."""
    return told_lately(tracker, 1)


def told_now(tracker: Tracker) -> frozenset[tuple[str, str]]:
    """The same of everything said since the latest message."""
    return told_lately(tracker, 1, 0)


def told_lately(tracker: Tracker, turns: int = LATELY, first: int = 1) -> frozenset[tuple[str, str]]:
    """The same of `turns` turns, from the `first` before this one."""
    return frozenset().union(*map(_told, islice(turns_backwards(tracker), first, first + turns)))


def asked_again_already(tracker: Tracker, *questions: str) -> bool:
    """Whether something has been answered now, and a form's question (how its response begins) stood once more before.

    Who asks on wants answers, and an answer to the form still counts: then it waits in silence.
    """
    before = told_lately(tracker, first=2)
    return bool(told_now(tracker)) and any(response.startswith(questions) for response, _ in before)


def told_missing(tracker: Tracker) -> frozenset[str]:
    """The orders that the customer said in this conversation not to have, though they are shown as delivered."""
    about = [event["metadata"] for event in bot_events(tracker)]
    missing = [one for one in about if one.get("utter_action") == "utter_order_status_not_received"]
    return frozenset(str(one.get("order_number") or "") for one in missing)


def _told(turn: list[Event]) -> frozenset[tuple[str, str]]:
    said = [event.get("metadata") or {} for event in turn if event.get("event") == "bot"]
    return frozenset(
        (str(one.get("utter_action") or ""), str(one.get("order_number") or one.get("number") or "")) for one in said
    )


def numbers_meant(tracker: Tracker) -> list[str]:
    """The order numbers of the latest message; without any, the one that the message it quotes was about."""
    named = numbers_in_message(tracker)
    if named or message_text(tracker).startswith("/"):
        return named  # a tap on a button quotes the message that holds it
    quoted = normal_number((message_metadata(tracker).get("quoted") or {}).get("order_number"))
    return [quoted] if quoted else []


def told_since_change(tracker: Tracker, former: str | None) -> list[str]:
    """The order numbers that were spoken of with a customer since they changed their phone number from `former`.

    What was told before is no proof: nobody has said yet that who writes now is who wrote then.
    """
    told: list[str] = []
    for turn in turns_backwards(tracker) if former else ():
        if (turn[0].get("metadata") or {}).get("former_phone") != former:
            break
        about = [(event.get("metadata") or {}).get("order_number") for event in turn if event.get("event") == "bot"]
        told += [str(number) for number in about if number]
    return told


def read_on_pictures(tracker: Tracker) -> list[str]:
    """The numbers of the latest message that stand on pictures and were not typed."""
    heard = message_metadata(tracker).get("heard") or []
    return [word for part in heard if part.get("kind") == "image" for word in str(part.get("text") or "").split()]


def misshaped_in_message(tracker: Tracker) -> str | None:
    """What was written like an order number and is none of this shop's shape, as written; no part of an address.

    Some digits and nothing else are meant as one where an order is spoken of, whatever else they might be.
    """
    if not _entities(tracker):
        text = message_text(tracker).strip()
        return text if _ONLY_DIGITS.fullmatch(text) else None
    return next((str(one.get("value")) for one in outside_addresses(tracker, "order_number_misshaped")), None)


def outside_addresses(tracker: Tracker, kind: str = "order_number") -> list[dict[str, Any]]:
    """The entities of a kind in the latest message that are no part of an address."""
    found = _written(tracker, kind)
    inside = addresses.spans(message_text(tracker)) if found else []
    return [one for one in found if not any(begin <= int(one.get("start") or 0) < end for begin, end in inside)]


def numbers_in_message(tracker: Tracker) -> list[str]:
    """The order numbers of the latest message, normalised, each once, as the customer wrote them in order; without
    those that it denies ("10235, not 10234").
    """
    named = _written(tracker)
    not_meant = denied(message_text(tracker), _spans(named))
    return _normal([one for place, one in enumerate(named) if place not in not_meant])


def points_away(tracker: Tracker) -> bool:
    """Whether a message names a number only to mean another order: "not 10234, the other one"."""
    text = message_text(tracker)
    spans = _spans(_written(tracker)) or [found.span() for found in _LIKE_A_NUMBER.finditer(text)]
    return points_at_one(text) and all_denied(text, spans)


def _written(tracker: Tracker, kind: str = "order_number") -> list[dict[str, Any]]:
    return [one for one in _entities(tracker) if one.get("entity") == kind]


def _entities(tracker: Tracker) -> list[dict[str, Any]]:
    return (tracker.latest_message or {}).get("entities") or []


def _spans(written: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    return [(int(one.get("start") or 0), int(one.get("end") or 0)) for one in written]


def _normal(written: Sequence[Mapping[str, Any]]) -> list[str]:
    values = [one.get("value") for one in written]
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(number for part in flat if (number := normal_number(part))))
