"""OrderTurn which order, the customer names or picks one: it goes back to the skill that asked, whichever that is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.contact import ActionReceiveContact
from actions.order_choice import (
    ActionChooseAllOrders,
    ActionChooseOrder,
    ActionExplainOrderNumber,
    ActionListOrders,
    ActionOtherOrder,
    ActionOtherPhone,
)
from actions.order_details import ActionOrderCourier, ActionOrderNotReceived
from actions.order_status import ActionCheckOrderStatus
from actions.orders.models import Order, OrderStatus

DOMAIN = yaml_files.read(Path(__file__).resolve().parents[2] / "domain.yml")
PHONE = "+919876543210"
COURIER, STATUS = "utter_order_status_courier", "utter_order_status_shipped"
OWN = [
    Order("10234", OrderStatus.SHIPPED, date(2026, 11, 24), carrier="Delhivery"),
    Order("10241", OrderStatus.SHIPPED, date(2026, 11, 25), carrier="BlueKite"),
    Order("10187", OrderStatus.DELIVERED, carrier="Delhivery"),
    Order("10188", OrderStatus.DELIVERED, carrier="Delhivery"),
]


class FakeOrders:
    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        return {one.number: one for one in OWN if one.number in set(numbers)}

    async def open_orders(self, phone: str) -> list[Order]:
        return [one for one in OWN if one.open]

    async def all_orders(self, phone: str) -> list[Order]:
        return OWN


class Conversation:
    """The turns of one customer, with the slots that actions keep."""

    def __init__(self) -> None:
        self.slots: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []

    async def says(
        self, action: type[Any], intent: str, *numbers: str, text: str = "", follows: str = "orders",
        phone: str | None = PHONE, misshaped: str = "",
    ) -> list[str]:  # fmt: skip
        """What is answered: response and order number."""
        entities = [{"entity": "order_number", "value": number} for number in numbers]
        entities += [{"entity": "order_number_misshaped", "value": misshaped}] if misshaped else []
        parsed = {"text": text or f"/{intent}", "intent": {"name": intent}, "entities": entities, "after": follows}
        self.events += [{"event": "user", "text": text, "parse_data": parsed, "metadata": {"phone": phone}},
                        {"event": "action", "name": action().name()}]  # fmt: skip
        message = {**parsed, "metadata": {"phone": phone}}
        dispatcher = CollectingDispatcher()
        at = Tracker("c", dict(self.slots), message, list(self.events), False, None, {}, "action_listen")
        for event in await action(FakeOrders()).run(dispatcher, at, DOMAIN):
            self.slots[event["name"]] = event["value"]
        for said in dispatcher.messages:
            facts = {key: said[key] for key in ("order_number",) if key in said}
            self.events.append({"event": "bot", "metadata": {"utter_action": said["response"], **facts}})
        return [f"{said['response']} {said.get('order_number', '')}".strip() for said in dispatcher.messages]


@pytest.fixture
async def asked_who_brings_it() -> Conversation:
    """Two orders are open, so the customer was shown a list."""
    conversation = Conversation()
    assert await conversation.says(ActionOrderCourier, "ask_courier") == ["utter_order_status_choose"]
    return conversation


@pytest.mark.parametrize(("action", "intent", "numbers", "text"), [
    (ActionCheckOrderStatus, "inform_order_number", ["10241"], ""),
    (ActionChooseOrder, "choose_order", [], "the second one"),
    (ActionChooseOrder, "choose_order", ["10241"], ""),
    (ActionExplainOrderNumber, "wrong_number", ["10241"], ""),
])
async def test_picked_order_is_told_what_was_asked(
    asked_who_brings_it: Conversation, action: Any, intent: str, numbers: list[str], text: str
) -> None:
    assert await asked_who_brings_it.says(action, intent, *numbers, text=text) == [f"{COURIER} 10241"]


async def test_order_not_received_is_the_one_that_is_picked() -> None:
    conversation = Conversation()
    assert await conversation.says(ActionOrderNotReceived, "report_not_received") == ["utter_order_status_choose"]
    said = await conversation.says(ActionChooseOrder, "choose_order", text="the second one")
    assert said == ["utter_order_status_not_received 10188"]


async def test_question_that_picks_from_the_list_in_passing_is_answered(asked_who_brings_it: Conversation) -> None:
    said = await asked_who_brings_it.says(ActionOrderCourier, "ask_courier", text="who brings the second one then")
    assert said == [f"{COURIER} 10241"]


async def test_not_received_said_again_offers_a_person_instead_of_the_same_advice() -> None:
    conversation = Conversation()
    await conversation.says(ActionOrderNotReceived, "report_not_received", "10187")
    again = await conversation.says(ActionOrderNotReceived, "report_not_received", text="asked the neighbours, nothing")
    assert again == ["utter_handoff_offer"]
    more = await conversation.says(ActionOrderNotReceived, "report_not_received", text="the guard saw nobody either")
    assert more == ["utter_handoff_offer_still"]
    assert await conversation.says(ActionOrderNotReceived, "report_not_received", text="nor my aunt") == again


async def test_the_couriers_number_is_said_not_to_be_known_once_the_rest_was_told() -> None:
    conversation = Conversation()
    await conversation.says(ActionCheckOrderStatus, "check_order_status", "10234")
    known = await conversation.says(ActionOrderCourier, "ask_courier", text="do you have their number")
    assert known == [f"{COURIER}_known 10234"]
    assert await conversation.says(ActionOrderCourier, "ask_courier", text="can i call him") == [f"{COURIER} 10234"]


async def test_both_of_a_list_are_told_both(asked_who_brings_it: Conversation) -> None:
    said = await asked_who_brings_it.says(ActionChooseAllOrders, "choose_all", text="both")
    assert [one.split()[-1] for one in said] == ["10234", "10241"]


async def test_once_answered_a_number_means_its_status_again(asked_who_brings_it: Conversation) -> None:
    await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10241")
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10234", follows="order")
    assert said == [f"{STATUS} 10234"]


async def test_number_that_is_not_found_or_misshaped_is_asked_for_again_for_the_same_skill(
    asked_who_brings_it: Conversation,
) -> None:
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10999")
    assert said == ["utter_order_status_not_found 10999"]
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", misshaped="102",
                                          follows="number")  # fmt: skip
    assert said == ["utter_order_status_misshaped"]
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10241", follows="number")
    assert said == [f"{COURIER} 10241"]


@pytest.mark.parametrize(("action", "intent"), [(ActionCheckOrderStatus, "check_order_status"),
                                                (ActionListOrders, "list_orders")])  # fmt: skip
async def test_question_of_its_own_is_answered_and_its_list_is_its_own(
    asked_who_brings_it: Conversation, action: Any, intent: str
) -> None:
    await asked_who_brings_it.says(action, intent)
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10241")
    assert said == [f"{STATUS} 10241"]


async def test_question_with_a_number_is_no_answer_to_the_list(asked_who_brings_it: Conversation) -> None:
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "check_order_status", "10241", text="where is 10241")
    assert said == [f"{STATUS} 10241"]


@pytest.mark.parametrize("follows", ["none", "policy", "declined", "offer"])
async def test_list_that_was_left_for_something_else_is_forgotten(
    asked_who_brings_it: Conversation, follows: str
) -> None:
    said = await asked_who_brings_it.says(ActionCheckOrderStatus, "inform_order_number", "10241", follows=follows)
    assert said == [f"{STATUS} 10241"]


async def test_the_other_one_while_a_list_is_open_is_told_what_was_asked() -> None:
    conversation = Conversation()
    await conversation.says(ActionCheckOrderStatus, "check_order_status", "10234", text="where is 10234")
    conversation.slots["order_number"] = None
    await conversation.says(ActionOrderCourier, "ask_courier")
    said = await conversation.says(ActionOtherOrder, "ask_other_order", text="the other one")
    assert said == [f"{COURIER} 10241"]


async def test_of_one_that_came_and_another_the_other_is_told() -> None:
    said = await Conversation().says(ActionOtherOrder, "ask_other_order", text="one came today. and the other?")
    assert said == ["utter_order_status_choose"]  # of the two that are still to come


async def test_an_order_of_another_phone_is_explained_and_a_number_that_is_named_looked_up() -> None:
    conversation = Conversation()
    other = "utter_order_status_other_phone"
    assert await conversation.says(ActionOtherPhone, "other_phone", text="ordered with my mother's number") == [other]
    assert await conversation.says(ActionOtherPhone, "other_phone", "10234") == [f"{STATUS} 10234"]


async def test_shared_contact_answers_whichever_skill_waited_for_it() -> None:
    conversation = Conversation()
    said = await conversation.says(ActionOrderCourier, "ask_courier", "10241", phone=None)
    assert said == ["utter_order_status_share_contact"]
    assert await conversation.says(ActionReceiveContact, "send_contact") == [f"{COURIER} 10241"]
