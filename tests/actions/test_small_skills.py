"""Clarification, a bare yes, contact cards, and the way back to a look-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.confirmation import ActionAffirm
from actions.contact import ActionReceiveContact
from actions.fallback import ActionClarify
from actions.flow import ActionReceiveFlow
from actions.order_status import ActionCheckOrderStatus
from actions.orders.models import Order, OrderStatus
from actions.resume import ActionResumeOrderLookUp
from tests.actions.order_answers import FakeOrders

DOMAIN = yaml_files.read(Path(__file__).resolve().parents[2] / "domain.yml")
YES_OR_NO = [{"title": "Talk to a person", "payload": "/request_human"}, {"title": "No", "payload": "/deny"}]
USER = {"event": "user", "text": "?"}


def bot(response: str, buttons: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {"event": "bot", "metadata": {"utter_action": response}, "data": {"buttons": buttons or []}}


def tracker(*events: dict[str, Any], intent: str = "nlu_fallback", phone: str | None = None) -> Tracker:
    message = {"intent": {"name": intent}, "metadata": {"phone": phone}, "entities": []}
    return Tracker("c", {}, message, list(events), False, None, {}, "action_listen")


async def run(action: Any, at: Tracker) -> tuple[list[str], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, at, DOMAIN)
    return [message["response"] for message in dispatcher.messages], events


@pytest.mark.parametrize(("intent", "before", "said"), [
    ("nlu_fallback", "utter_greet", "utter_clarification_first"),
    ("nlu_fallback", "utter_clarification_first", "utter_clarification_second"),
    ("out_of_scope", "utter_greet", "utter_clarification_out_of_scope"),
    ("out_of_scope", "utter_clarification_first", "utter_clarification_out_of_scope_again"),
])
async def test_second_misunderstanding_is_worded_differently(intent: str, before: str, said: str) -> None:
    responses, _ = await run(ActionClarify(), tracker(bot(before), USER, intent=intent))
    assert responses == [said]


@pytest.mark.parametrize(("text", "told"), [
    ("LG30418827X nao atualiza", True), ("lg 3041 8827 x??", True),
    ("LG30418828X atualiza", False),  # with more words it would be looked for in the pages, which take 10 s to embed
])
async def test_the_tracking_number_of_an_own_order_is_understood_whatever_stands_around_it(
    text: str, told: bool
) -> None:
    orders = FakeOrders(p5511987650101=[Order("10234", OrderStatus.SHIPPED, tracking_number="LG30418827X")])
    at = tracker({**USER, "text": text}, intent="out_of_scope", phone="5511987650101")
    at.latest_message["text"] = text
    responses, _ = await run(ActionClarify(orders=orders), at)
    assert responses == ["utter_order_status_shipped" if told else "utter_clarification_out_of_scope"]


async def test_an_order_that_is_named_is_told_although_the_rest_is_not_understood() -> None:
    orders = FakeOrders(p5511987650101=[Order("10234", OrderStatus.SHIPPED)])
    at = tracker(USER, phone="5511987650101")
    at.latest_message["entities"] = [{"entity": "order_number", "value": "10234"}]
    assert (await run(ActionClarify(orders=orders), at))[0] == ["utter_order_status_shipped"]


async def test_misunderstanding_in_an_older_session_does_not_count() -> None:
    new_session = {"event": "action", "name": "action_session_start"}
    responses, _ = await run(ActionClarify(), tracker(bot("utter_clarification_first"), new_session, USER))
    assert responses == ["utter_clarification_first"]


async def test_yes_to_the_offer_of_a_person_calls_one() -> None:
    responses, events = await run(ActionAffirm(), tracker(bot("utter_order_status_not_found", YES_OR_NO), USER))
    assert responses == []
    assert FollowupAction("action_escalate") in events


async def test_what_only_sounds_like_a_yes_calls_nobody_and_is_asked_again() -> None:
    at = tracker(bot("utter_return_policy_not_covered", YES_OR_NO), USER, intent="affirm")
    at.latest_message["intent"]["confidence"] = 0.7
    assert await run(ActionAffirm(), at) == (["utter_handoff_offer"], [])


@pytest.mark.parametrize("buttons", [[], [{"title": "Talk to a person", "payload": "/request_human"}]])
async def test_yes_to_nothing_in_particular_asks_what_is_wanted(buttons: list[dict[str, str]]) -> None:
    """A button that may be pressed is no question that "ok" could answer."""
    responses, events = await run(ActionAffirm(), tracker(bot("utter_order_status_delivered", buttons), USER))
    assert responses == ["utter_affirm_open"]
    assert events == []


async def test_yes_in_a_form_that_asked_something_else_leaves_the_form_to_ask_again() -> None:
    message = {"intent": {"name": "affirm"}, "metadata": {}, "entities": []}
    at = Tracker("c", {}, message, [USER], False, None, {"name": "order_change_form"}, "action_listen")
    assert await run(ActionAffirm(), at) == ([], [])


class OneOrder:
    """Everybody's only order is #10234."""

    async def find(self, numbers: list[str], phone: str) -> dict[str, Order]:
        return {number: Order(number, OrderStatus.SHIPPED) for number in numbers if number == "10234"}

    async def open_orders(self, phone: str) -> list[Order]:
        return [Order("10234", OrderStatus.SHIPPED)]

    refund_related_orders = open_orders


def asked(action: str, *numbers: str) -> list[dict[str, Any]]:
    """A turn in which the customer asked about orders and was asked for the phone number."""
    entities = [{"entity": "order_number", "value": number} for number in numbers]
    return [
        {"event": "user", "text": "?", "parse_data": {"text": "?", "entities": entities, "metadata": {"phone": None}}},
        {"event": "action", "name": action},
        bot("utter_order_status_share_contact"),
    ]


@pytest.mark.parametrize(("before", "said"), [
    (asked("action_check_order_status"), "utter_order_status_shipped"),
    (asked("action_check_order_status", "10234"), "utter_order_status_shipped"),
    (asked("action_check_order_status", "99999"), "utter_order_status_not_found"),
    (asked("action_delivery_date", "10234"), "utter_order_status_no_delivery_date"),
])
async def test_question_that_waited_for_the_contact_is_answered(before: list[dict[str, Any]], said: str) -> None:
    at = tracker(*before, USER, phone="+919876543210")
    responses, events = await run(ActionReceiveContact(OneOrder()), at)
    assert responses == [said]
    assert not any(event["event"] == "followup" for event in events), "no rule would go on behind a follow-up action"


async def test_yes_to_a_look_up_is_answered_as_the_button_would_be() -> None:
    buttons = [{"title": "Show my orders", "payload": "/check_order_status"}, {"title": "No", "payload": "/deny"}]
    at = tracker(USER, bot("utter_of_this_test", buttons), USER, intent="affirm", phone="+919876543210")
    responses, events = await run(ActionAffirm({"check_order_status": ActionCheckOrderStatus(OneOrder())}), at)
    assert responses == ["utter_order_status_shipped"]
    assert {"event": "slot", "timestamp": None, "name": "order_number", "value": "10234"} in events


@pytest.mark.parametrize(("before", "phone"), [
    ("utter_order_status_share_contact", None), ("utter_greet", "+919876543210"),
])
async def test_somebodys_contact_card_opens_nothing(before: str, phone: str | None) -> None:
    responses, events = await run(ActionReceiveContact(), tracker(bot(before), USER, phone=phone))
    assert responses == ["utter_contact_received"]
    assert events == []


@pytest.mark.parametrize(("answers", "phone", "said"), [
    ({"order": "10234", "size": "M"}, "+919876543210", "utter_order_status_shipped"),
    ({"screen_0_Input_1": "#10 234"}, "+919876543210", "utter_order_status_shipped"),
    ({"order": "99999", "rooms": "3"}, "+919876543210", "utter_flow_thanks"),
    ({"comment": "all well"}, "+919876543210", "utter_flow_thanks"),
    ({"order": "10234"}, None, "utter_flow_thanks"),
    ({}, None, "utter_flow_thanks"),
])
async def test_a_submitted_form_is_thanked_for_or_answered_with_the_order_it_names(
    answers: dict[str, str], phone: str | None, said: str
) -> None:
    at = tracker(USER, intent="send_flow", phone=phone)
    at.latest_message["metadata"]["flow"] = {"name": "flow", "answers": answers}
    responses, _ = await run(ActionReceiveFlow(OneOrder()), at)
    assert responses == [said]


async def test_number_is_asked_for_again_right_after_a_question_in_between() -> None:
    at = tracker(USER, bot("utter_order_status_not_found"), USER, bot("utter_return_policy_answer"))
    assert await run(ActionResumeOrderLookUp(), at) == (["utter_order_status_resume"], [])


async def test_number_is_not_asked_for_again_once_the_customer_moved_on() -> None:
    moved_on = (bot("utter_thank_welcome"), USER)
    at = tracker(USER, bot("utter_order_status_not_found"), USER, *moved_on, bot("utter_return_policy_answer"))
    assert await run(ActionResumeOrderLookUp(), at) == ([], [])


async def test_number_is_asked_for_again_only_once() -> None:
    at = tracker(USER, bot("utter_order_status_resume"), USER, bot("utter_return_policy_answer"))
    assert (await run(ActionResumeOrderLookUp(), at))[0] == []
