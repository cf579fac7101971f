"""Cancelling, changing or returning an order: say what is possible, and see to it when the customer agrees.

The assistant only reads the orders database. What the shop's own system can be asked to do (`acting.py`) it does,
all else a person does. Which order (`which_order.py`), what else has to be known (`details.py`) and "shall I" are
asked by order_change_form; `action_order_change_outcome` acts on the answers.
"""

from datetime import date
from typing import Any, cast

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.acting import (
    ASKS_CONFIRMATION,
    agreed,
    asked_for_plan,
    asked_last_turn,
    carry_out,
    pass_on_change,
    planned,
    summarise,
)  # fmt: skip
from actions.order_changes.details import (
    ACT_OF,
    AGREES,
    CONFIRMED,
    DECLINES,
    KINDS,
    MIN_YES_CONFIDENCE,
    NUMBER,
    SAYS_MORE,
    WISH,
    ChangeDetails,
    another_address,
    answered_beside,
    begins_now,
    begun,
    confidence,
    is_aside,
    not_with_the_courier,
    only_signs,
    window_that_is_over,
)  # fmt: skip
from actions.order_changes.which_order import WhichOrder
from actions.orders.lookup import Orders
from actions.orders.models import Order
from actions.orders.repository import OrdersUnavailable
from actions.return_policy import remember
from actions.self_service.answers import only_asks
from actions.self_service.consent import is_yes
from actions.self_service.performing import SelfService
from actions.skill import services
from actions.skill.action import (
    BaseAction,
    Domain,
    Event,
    in_form,
    intent_name,
    message_metadata,
    message_text,
    turns_backwards,
)  # fmt: skip
from actions.skill.order_answers import told_lately, told_now
from actions.skill.texts import Pieces

EXCHANGE_QUESTION = "how do I exchange an item"
BEFORE_IT_COMES = frozenset({"cancel", "change"})
SAYS_NOTHING = frozenset({"inform_order_number", "affirm", "thank", "greet"})  # that a person would have to know
SETTLES_NOTHING = SAYS_MORE | {"affirm", "thank", "greet", "chitchat", "mischief", "choose_option"}


class ActionBeginCancelOrder(BaseAction):
    """The customer wants to cancel: open the form with what the message says already."""

    kind = "cancel"
    policy_question: str | None = "what happens to my money when I cancel an order"
    """What questions in between go on from: "how many days?", "is it free?"."""

    def name(self) -> str:
        return f"action_begin_{self.kind}_order"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        begins = [SlotSet("change_kind", self.kind), *begun(tracker), SlotSet("awaiting_order_number", False)]
        begins += self._of_the_form(tracker)
        wish = next((event["value"] for event in begins if event.get("name") == WISH), None)
        return [*begins, *remember(EXCHANGE_QUESTION if wish == "exchange" else self.policy_question)]

    def _of_the_form(self, tracker: Tracker) -> list[Event]:
        """The order that the form was about is still the one talked about, where the wish turns to something else that
        is done before it comes: "change the address instead", said once another order was told of in between."""
        kinds, number = {tracker.get_slot("change_kind"), self.kind}, tracker.get_slot(NUMBER)
        return [SlotSet("order_number", number)] if in_form(tracker) and number and kinds == BEFORE_IT_COMES else []


class ActionBeginChangeOrder(ActionBeginCancelOrder):
    """The customer wants a change of address, items or the like."""

    kind = "change"
    policy_question = None


class ActionBeginReturnOrder(ActionBeginCancelOrder):
    """The customer wants the return or exchange of an order set up."""

    kind = "return"
    policy_question = "how do I return or exchange an item"


class ValidateOrderChangeForm(WhichOrder, ChangeDetails, FormValidationAction):
    """Reads what each message says of the order, of the details and of "shall I"."""

    def name(self) -> str:
        return "validate_order_change_form"

    async def next_requested_slot(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> Event | None:
        """None to ask for where nothing is to be done any more."""
        if tracker.get_slot(CONFIRMED) is False:
            return SlotSet("requested_slot", None)
        return await super().next_requested_slot(dispatcher, tracker, domain)

    async def extract_change_confirmed(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """An explicit yes, whatever it was read as. "ok" and "thanks" are none: where something would be done, it is
        asked again. The rest is the intents', as domain.yml says.
        """
        if agreed(tracker):
            return {"change_confirmed": True}
        if another_address(tracker):
            return {"change_confirmed": None}
        waits = tracker.get_slot("requested_slot") == CONFIRMED
        if (settled := _settled_beside(tracker, waits)) is not None:
            return {CONFIRMED: settled}
        asked = waits and planned(tracker)
        settles_nothing = _same_wish(tracker) or intent_name(tracker) in SETTLES_NOTHING
        return {"change_confirmed": None} if asked and settles_nothing else {}

    async def validate_change_confirmed(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        """A yes that only sounds like one settles nothing that would be done; a person may be called with it, if it
        sounds enough like one. "too small" is hardly a no.
        """
        unsure = confidence(tracker) < MIN_YES_CONFIDENCE and answered_beside(tracker) != DECLINES
        if value is False and intent_name(tracker) == DECLINES and unsure:
            return {CONFIRMED: None}
        act, number = ACT_OF.get(tracker.get_slot("change_kind") or ""), str(tracker.get_slot(NUMBER))
        plain = act is not None and is_yes(message_text(tracker), act, number)
        unsure_yes = confidence(tracker) < MIN_YES_CONFIDENCE or only_asks(message_text(tracker))  # "is that ok"
        weak = intent_name(tracker) == "affirm" and unsure_yes and not plain
        doubtful = (planned(tracker) or weak) and not agreed(tracker) and intent_name(tracker) != "request_human"
        return {"change_confirmed": None if value and doubtful else value}


def _settled_beside(tracker: Tracker, waits: bool) -> bool | None:
    """What a yes or no settles that stands beside other words, once a question among these is answered.

    An act of the shop's own takes a yes that stands alone (`agreed`).
    """
    aside, answered = is_aside(tracker), bool(told_now(tracker))
    if aside and answered and answered_beside(tracker) == DECLINES:
        return False
    if not waits or planned(tracker):
        return None
    number, act = str(tracker.get_slot(NUMBER)), ACT_OF.get(tracker.get_slot("change_kind") or "")
    if act and not answered and is_yes(message_text(tracker), act, number):
        return True  # "10241 yes"
    agrees = answered_beside(tracker) == AGREES
    return True if agrees and (answered if aside else intent_name(tracker) in SAYS_MORE) else None


def _same_wish(tracker: Tracker) -> bool:
    """Whether the wish that is asked about is said once more; more of a change would be something new."""
    kind = tracker.get_slot("change_kind")
    return kind in ("cancel", "return") and KINDS.get(intent_name(tracker)) == kind


def _offers_something(tracker: Tracker) -> bool:
    """Whether what was asked beside "no" has been answered with an offer, which "anything else?" would bury."""
    said = [event for event in next(turns_backwards(tracker), []) if event.get("event") == "bot"]
    buttons = [button for event in said for button in (event.get("data") or {}).get("buttons") or ()]
    return any(button.get("payload") == "/deny" for button in buttons)


def _again(tracker: Tracker) -> str:
    """How "shall I" is asked once more, by what came instead of an answer: the outcome in a response's name."""
    if told_now(tracker):
        return "resume"
    if intent_name(tracker) in SAYS_MORE and is_aside(tracker):
        return "ask_unknown"
    says_nothing = intent_name(tracker) in SAYS_NOTHING or only_signs(message_text(tracker)) or _same_wish(tracker)
    return "resume" if says_nothing else "ask_again"


class ActionAskChangeConfirmed(BaseAction):
    """Say what is still possible for this order, and offer a person."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    def name(self) -> str:
        return "action_ask_change_confirmed"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        number = tracker.get_slot("change_order_number")
        phone = message_metadata(tracker).get("phone")
        asked, answered = asked_last_turn(tracker, number), bool(told_now(tracker))
        if planned(tracker):
            summarise(dispatcher, tracker, domain, asked and not answered and asked_for_plan(tracker))
            return []
        resumed = (ASKS_CONFIRMATION + "resume", number) in told_lately(tracker)
        if answered and resumed:
            return []  # asked again once already; who asks on wants answers, and a yes still counts
        if asked or (resumed and not begins_now(tracker)):
            dispatcher.utter_message(response=ASKS_CONFIRMATION + _again(tracker), number=number)
            return []
        try:
            found = await (self._orders or services.orders()).find([number], phone) if phone else {}
        except OrdersUnavailable:
            dispatcher.utter_message(response="utter_order_change_unavailable", number=number)
            return []
        kind = tracker.get_slot("change_kind")
        if (late := await window_that_is_over(found.get(number), kind)) is not None:
            came = Pieces(domain, "order_change").near_day(cast(date, found[number].delivered_on))
            facts = {"number": number, "date": came, "days": late.days, "page": late.section.page_title}
            dispatcher.utter_message(response=ASKS_CONFIRMATION + "return_late", **facts)
            return []
        outcome = _what_is_possible(found.get(number), kind)
        status = found[number].status if outcome == "finished" else None
        written = Pieces(domain, "order_change").fill(status.value) if status else ""
        dispatcher.utter_message(response=ASKS_CONFIRMATION + outcome, number=number, status=written)
        return []


def _what_is_possible(order: Order | None, kind: str | None) -> str:
    """The outcome in a response's name."""
    if kind == "return":
        return "return_not_yet" if order and order.open and order.status else "return"
    if order is None or order.status is None:
        return "ask_confirmed"
    if not order.open:
        return "finished"
    prefix = "cancel_" if kind == "cancel" else ""
    return f"{prefix}possible" if not_with_the_courier(order) else f"{prefix}on_the_way"


class ActionOrderChangeOutcome(BaseAction):
    """Do it, or hand over, when the customer agreed; else leave the order alone."""

    def __init__(self, orders: Orders | None = None, service: SelfService | None = None) -> None:
        self._orders, self._service = orders, service

    def name(self) -> str:
        return "action_order_change_outcome"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if not tracker.get_slot(CONFIRMED):
            number = tracker.get_slot(NUMBER)
            answered = not number and told_now(tracker)  # "forget that, where is my order" needs no "no problem" more
            if not answered and not _offers_something(tracker):
                response = ASKS_CONFIRMATION + "kept" if number else "utter_deny_ok"
                dispatcher.utter_message(response=response, number=number)
            return [SlotSet(NUMBER, None), SlotSet(CONFIRMED, None)]
        if planned(tracker) is None or intent_name(tracker) == "request_human":
            return pass_on_change(tracker)
        service = self._service or services.self_service()
        return await carry_out(dispatcher, tracker, self._orders or services.orders(), service)
