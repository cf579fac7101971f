"""What stands beside an answer to order_change_form, or is hardly one: a question, a reason, all of several orders."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.details import message_id
from actions.order_changes.form import (
    ActionAskChangeConfirmed,
    ActionBeginChangeOrder,
    ActionBeginReturnOrder,
    ActionOrderChangeOutcome,
    ValidateOrderChangeForm,
)
from actions.order_changes.which_order import ActionAskChangeOrderNumber
from actions.orders.models import Order, OrderStatus
from tests.actions.order_answers import DOMAIN
from tests.actions.order_changes.asked import FakeOrders, run, said, tracker

ASKED = {"change_kind": "cancel", "change_order_number": "10234", "requested_slot": "change_confirmed"}
TOLD = [{"event": "bot", "metadata": {"utter_action": "utter_return_policy_answer"}}]


@pytest.mark.parametrize(("beside", "intent", "told", "settled"), [
    ("deny", "ask_return_policy", TOLD, False),  # "leave it, how long do refunds take": once that is told
    ("affirm", "ask_return_policy", TOLD, True),
    ("affirm", "ask_return_policy", [], None),  # what is asked comes first
    (None, "ask_return_policy", TOLD, None),
    ("affirm", "out_of_scope", [], True),  # "yes, and tell them it is a gift": a person reads it
    ("deny", "out_of_scope", [], None),
])  # fmt: skip
async def test_a_yes_or_no_beside_a_question_settles_the_change_once_that_is_answered(
    beside: str | None, intent: str, told: list[dict[str, Any]], settled: bool | None
) -> None:
    at = tracker(intent=intent, **ASKED)
    at.active_loop = {"name": "order_change_form"}
    at.latest_message |= {"text": "words", "answer": beside}
    at.events = [{"event": "user", "text": "words"}, *told]
    extracted = await ValidateOrderChangeForm(FakeOrders()).extract_change_confirmed(CollectingDispatcher(), at, {})
    assert extracted.get("change_confirmed") is settled


async def test_no_ends_the_form_whatever_it_still_asks() -> None:
    at = tracker(change_kind="cancel", change_confirmed=False)
    form = ValidateOrderChangeForm(FakeOrders())
    assert await form.next_requested_slot(CollectingDispatcher(), at, {}) == {
        "event": "slot", "timestamp": None, "name": "requested_slot", "value": None,
    }  # fmt: skip


async def test_an_offer_made_beside_the_no_is_the_last_word() -> None:
    at = tracker(change_order_number="10234", change_confirmed=False)
    offer = {"buttons": [{"payload": "/request_human"}, {"payload": "/deny"}]}
    at.events = [{"event": "user", "text": "words"}, {"event": "bot", "data": offer}]
    assert (await run(ActionOrderChangeOutcome(), at))[0] == []


@pytest.mark.parametrize(("intent", "text", "response"), [
    ("inform_order_number", "10234", "resume"), ("ask_why_late", "??", "resume"),
    ("cancel_order", "want to cancel my order", "resume"),
    ("out_of_scope", "a red one", "ask_again"), ("out_of_scope", "do you rent bikes?", "ask_unknown"),
])  # fmt: skip
async def test_what_is_asked_again_says_what_becomes_of_the_words(intent: str, text: str, response: str) -> None:
    at = tracker(intent=intent, **ASKED)
    at.latest_message["text"] = text
    at.events = said([("utter_order_change_cancel_possible", "10234")], [])
    order = Order("10234", OrderStatus.PLACED)
    assert (await run(ActionAskChangeConfirmed(FakeOrders(order)), at))[0] == [f"utter_order_change_{response}"]


async def test_all_of_several_are_taken_one_at_a_time() -> None:
    at = tracker(change_kind="cancel")
    at.latest_message["text"] = "cancel both"
    orders = [Order(f"1000{n}", OrderStatus.PLACED) for n in (1, 2)]
    dispatcher = CollectingDispatcher()
    events = await ActionAskChangeOrderNumber(FakeOrders(*orders)).run(dispatcher, at, DOMAIN)
    assert dispatcher.messages[0]["response"] == "utter_order_change_one_at_a_time"
    assert [event["value"] for event in events] == [["10001", "10002"]]


async def test_a_hardly_meant_no_leaves_the_question_open() -> None:
    at = tracker(intent="deny", **ASKED)
    at.latest_message |= {"text": "too small", "intent": {"name": "deny", "confidence": 0.6}}
    form = ValidateOrderChangeForm(FakeOrders())
    assert await form.validate_change_confirmed(False, CollectingDispatcher(), at, {}) == {"change_confirmed": None}


@pytest.mark.parametrize(("text", "agreed"), [
    ("is that ok", None), ("is it free", None), ("ok?", None), ("can you do that please", True), ("yes do it", True),
])  # fmt: skip
async def test_a_question_is_no_yes_but_a_request_is(text: str, agreed: bool | None) -> None:
    at = tracker(intent="affirm", **ASKED)
    at.latest_message |= {"text": text, "intent": {"name": "affirm", "confidence": 0.9}}
    form = ValidateOrderChangeForm(FakeOrders())
    assert await form.validate_change_confirmed(True, CollectingDispatcher(), at, {}) == {"change_confirmed": agreed}


async def test_who_goes_on_asking_is_not_asked_a_third_time() -> None:
    at = tracker(change_kind="cancel", change_order_number="10001")
    aside = ("utter_order_status_placed", "10001")
    asked = [("utter_order_change_cancel_possible", "10001")], [aside, ("utter_order_change_resume", "10001")]
    order = Order("10001", OrderStatus.PLACED, None, None, None, None)
    for turns in ([aside],), ([aside], [aside]):
        at.events = said(*asked, *turns)
        assert (await run(ActionAskChangeConfirmed(FakeOrders(order)), at))[0] == []


async def test_what_nobody_can_answer_after_several_questions_does_not_begin_the_change_anew() -> None:
    at = tracker(intent="out_of_scope", change_kind="cancel", change_order_number="10001")
    aside = ("utter_order_status_placed", "10001")
    at.events = said(
        [("utter_order_change_cancel_possible", "10001")], [aside, ("utter_order_change_resume", "10001")], [aside], []
    )
    order = Order("10001", OrderStatus.PLACED, None, None, None, None)
    assert (await run(ActionAskChangeConfirmed(FakeOrders(order)), at))[0] == ["utter_order_change_ask_again"]
    at.slots["change_wished_in"] = message_id(at)
    assert (await run(ActionAskChangeConfirmed(FakeOrders(order)), at))[0] == ["utter_order_change_cancel_possible"]


async def test_which_order_is_not_asked_a_third_time_either() -> None:
    at = tracker(change_kind="cancel")
    aside, which = ("utter_order_status_placed", "10001"), ("utter_order_change_choose", "")
    at.events = said([which], [aside, which], [aside])
    orders = [Order(f"1000{n}", OrderStatus.PLACED, None, None, None, None) for n in (1, 2)]
    assert await run(ActionAskChangeOrderNumber(FakeOrders(*orders)), at) == ([], [])


async def test_who_asked_about_an_order_and_was_told_is_not_shown_the_list_behind_it() -> None:
    at = tracker(intent="ask_why_late", change_kind="cancel")
    at.events = said([("utter_order_change_choose", "")], [("utter_order_status_why_late", "10001")])
    orders = [Order(f"1000{n}", OrderStatus.PLACED, None, None, None, None) for n in (1, 2)]
    assert await run(ActionAskChangeOrderNumber(FakeOrders(*orders)), at) == ([], [])


async def test_what_was_answered_needs_no_word_that_nothing_is_done() -> None:
    at = tracker(change_confirmed=False)
    at.events = said([("utter_order_status_choose", "")])
    assert (await run(ActionOrderChangeOutcome(), at))[0] == []
    at.events = said([])
    assert (await run(ActionOrderChangeOutcome(), at))[0] == ["utter_deny_ok"]


@pytest.mark.parametrize(("text", "number"), [
    ("cancel my other order", "10002"), ("cancela o outro pedido", "10002"), ("dusra order cancel karo", "10002"),
    ("cancela el otro", "10002"), ("cancel my order, i want another colour", "10001"), ("cancel it", "10001"),
])  # fmt: skip
async def test_a_wish_for_another_order_is_not_about_the_one_talked_about(text: str, number: str) -> None:
    at = tracker(intent="cancel_order", change_kind="cancel", order_number="10001")
    at.latest_message["text"] = text
    orders = [Order(f"1000{n}", OrderStatus.PLACED, None, None, None, None) for n in (1, 2)]
    form = ValidateOrderChangeForm(FakeOrders(*orders))
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {"change_order_number": number}


@pytest.mark.parametrize(("action", "in_form", "meant"), [
    (ActionBeginChangeOrder(), True, "10234"), (ActionBeginChangeOrder(), False, None),
    (ActionBeginReturnOrder(), True, None),  # what has come can be returned, and nothing else be cancelled
])  # fmt: skip
async def test_another_wish_in_the_form_is_about_its_order_whatever_was_told_in_between(
    action: Any, in_form: bool, meant: str | None
) -> None:
    at = tracker(intent="change_order", order_number="10241", **ASKED)
    at.active_loop = {"name": "order_change_form"} if in_form else {}
    _, events = await run(action, at)
    about = [event["value"] for event in events if event.get("name") == "order_number"]
    assert about == ([meant] if meant else [])
