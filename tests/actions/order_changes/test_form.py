"""Cancelling and changing orders: what the customer is told, and when a person takes over."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.form import (
    ActionAskChangeConfirmed,
    ActionBeginCancelOrder,
    ActionBeginChangeOrder,
    ActionOrderChangeOutcome,
    ValidateOrderChangeForm,
)
from actions.order_changes.which_order import ActionAskChangeOrderNumber
from actions.orders.models import Order, OrderStatus
from tests.actions.order_changes.asked import PHONE, FakeOrders, run, said, tracker


@pytest.mark.parametrize(("status", "kind", "said"), [
    (OrderStatus.PLACED, "cancel", "utter_order_change_cancel_possible"),
    (OrderStatus.PACKED, "change", "utter_order_change_possible"),
    (OrderStatus.SHIPPED, "cancel", "utter_order_change_cancel_on_the_way"),
    (OrderStatus.DELAYED, "change", "utter_order_change_possible"),
    (OrderStatus.DELIVERED, "cancel", "utter_order_change_finished"),
    (OrderStatus.REFUNDED, "change", "utter_order_change_finished"),
    (None, "cancel", "utter_order_change_ask_confirmed"),
])
async def test_customer_is_told_what_is_still_possible(status: OrderStatus | None, kind: str, said: str) -> None:
    action = ActionAskChangeConfirmed(FakeOrders(Order("10234", status)))
    responses, _ = await run(action, tracker(change_order_number="10234", change_kind=kind))
    assert responses == [said]


async def test_database_away_still_offers_a_person() -> None:
    responses, _ = await run(ActionAskChangeConfirmed(FakeOrders(away=True)), tracker(change_order_number="10234"))
    assert responses == ["utter_order_change_unavailable"]


async def test_the_only_open_order_is_meant() -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10234", OrderStatus.PACKED), Order("1", OrderStatus.DELIVERED)))
    found = await form.extract_change_order_number(CollectingDispatcher(), tracker(), {})
    assert found == {"change_order_number": "10234"}


async def test_number_in_the_message_wins_and_asks_for_confirmation_anew() -> None:
    form = ValidateOrderChangeForm(FakeOrders())
    at = tracker(numbers=("10241",), change_order_number="10234")
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found == {"change_order_number": "10241", "change_confirmed": None}


async def test_a_yes_that_names_the_order_asked_about_stays_one() -> None:
    at = tracker(numbers=("10241",), intent="affirm", change_order_number="10241")
    found = await ValidateOrderChangeForm(FakeOrders()).extract_change_order_number(CollectingDispatcher(), at, {})
    assert found == {}


async def test_number_in_a_question_of_its_own_changes_nothing() -> None:
    form = ValidateOrderChangeForm(FakeOrders())
    at = tracker(numbers=("10248",), intent="check_order_status", change_order_number="10241")
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {}


@pytest.mark.parametrize("known", [None, "10241"])
async def test_what_is_no_number_of_this_shop_never_stands_for_another_order(known: str | None) -> None:
    only = Order("10241", OrderStatus.PACKED)
    at = tracker(change_kind="cancel", change_order_number=known)
    at.latest_message["entities"] = [{"entity": "order_number_misshaped", "value": "112-4567890-1234567"}]
    form = ValidateOrderChangeForm(FakeOrders(only))
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert not found.get("change_order_number")
    said, _ = await run(ActionAskChangeOrderNumber(FakeOrders(only)), at)
    assert said == ["utter_order_status_misshaped"]


@pytest.mark.parametrize("intent", ["deny", "ask_other_order"])
async def test_a_refusal_with_a_number_of_no_shape_of_ours_moves_the_change_to_no_other_order(intent: str) -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.PACKED), Order("10242", OrderStatus.PLACED)))
    at = tracker(change_kind="cancel", intent=intent, change_order_number="10241")
    at.latest_message["entities"] = [{"entity": "order_number_misshaped", "value": "112-4567890-1234567"}]
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found == {"change_order_number": None}


async def test_a_part_of_an_order_number_names_the_order_to_change() -> None:
    form = ValidateOrderChangeForm(FakeOrders(*(Order(f"OS/2026/{end}", OrderStatus.PACKED) for end in (417, 433))))
    at = tracker(change_kind="cancel", intent="cancel_order")
    at.latest_message["entities"] = [{"entity": "order_number_misshaped", "value": "433"}]
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found["change_order_number"] == "OS/2026/433"


@pytest.mark.parametrize(("said", "meant"), [("0433", "OS/2026/00433"), ("JD0146000012345", "OS/2026/00417")])
async def test_its_end_or_its_tracking_number_names_the_order_to_change(said: str, meant: str) -> None:
    orders = [Order(f"OS/2026/{end}", OrderStatus.PACKED, None, None, code) for end, code in (
        ("00417", "JD 0146 0000 12345"), ("00433", None))]  # fmt: skip
    at = tracker(change_kind="cancel", intent="inform_order_number", requested_slot="change_order_number")
    at.latest_message |= {"text": said, "entities": [{"entity": "order_number_misshaped", "value": said}]}
    form = ValidateOrderChangeForm(FakeOrders(*orders))
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found["change_order_number"] == meant


async def test_a_question_about_another_order_is_no_answer_although_only_one_can_be_meant() -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.PACKED)))
    at = tracker(
        numbers=("10999",), intent="check_order_status", change_kind="cancel", requested_slot="change_order_number"
    )
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {}


@pytest.mark.parametrize("known", [None, "OS/2026/417"])
async def test_a_question_about_a_part_of_a_number_does_not_pick_it(known: str | None) -> None:
    form = ValidateOrderChangeForm(FakeOrders(*(Order(f"OS/2026/{end}", OrderStatus.PACKED) for end in (417, 433))))
    at = tracker(change_kind="cancel", intent="ask_why_late", change_order_number=known)
    at.active_loop = {"name": "order_change_form"}
    at.latest_message |= {"text": "why is 433 late", "entities": [{"entity": "order_number_misshaped", "value": "433"}]}
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {}


async def test_a_question_about_one_of_the_orders_asked_for_does_not_pick_it() -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.PACKED), Order("10242", OrderStatus.PLACED)))
    at = tracker(
        numbers=("10241",), intent="check_order_status", change_kind="change", requested_slot="change_order_number"
    )
    at.active_loop = {"name": "order_change_form"}
    at.latest_message["text"] = "where is order 10241?"
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {}


@pytest.mark.parametrize("waits_for", [None, "change_order_number"])
async def test_it_is_the_order_talked_about_also_when_several_are_open(waits_for: str | None) -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.PACKED), Order("10242", OrderStatus.PLACED)))
    at = tracker(order_number="10241", change_kind="cancel", requested_slot=waits_for)
    at.active_loop = {"name": "order_change_form"}  # already, while the message that begins it is read
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found == {"change_order_number": "10241"}


@pytest.mark.parametrize(("intent", "text", "other"), [
    ("deny", "no wait the first one", "10242"),
    ("deny", "no not this, the other", "10242"),
    ("ask_other_order", "nahi dusra wala", "10242"),
    ("ask_other_order", "not that", "10242"),
    ("deny", "no", None),
    ("deny", "no not that one", None),
])
async def test_no_with_words_for_another_order_turns_to_that_order(intent: str, text: str, other: str | None) -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10242", OrderStatus.SHIPPED), Order("10241", OrderStatus.PACKED)))
    at = tracker(intent=intent, change_kind="cancel", change_order_number="10241")
    at.latest_message["text"] = text
    found = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert found == ({"change_order_number": other, "change_confirmed": None} if other else {})


@pytest.mark.parametrize("text", [
    "flat 3, Sunrise apts, Andheri west 400053",
    "change it to 4 Rose Villa, MG Road, Pune 411001",
])
async def test_a_post_code_in_an_address_is_no_mistyped_order_number(text: str) -> None:
    at = tracker(intent="change_order", change_kind="change", change_order_number="10241")
    code = text.split()[-1]
    at.latest_message |= {"text": text, "entities": [
        {"entity": "order_number_misshaped", "value": code, "start": text.index(code), "end": len(text)}]}  # fmt: skip
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.SHIPPED)))
    assert await form.extract_change_order_number(CollectingDispatcher(), at, {}) == {}


@pytest.mark.parametrize(("sureness", "settled"), [(1.0, True), (0.6, None)])
async def test_only_a_yes_that_sounds_like_one_calls_a_person(sureness: float, settled: bool | None) -> None:
    at = tracker(intent="affirm", change_kind="cancel", change_order_number="10241")
    at.latest_message["intent"]["confidence"] = sureness
    form = ValidateOrderChangeForm(FakeOrders(Order("10241", OrderStatus.PACKED)))
    assert await form.validate_change_confirmed(True, CollectingDispatcher(), at, {}) == {"change_confirmed": settled}


async def test_database_away_is_said_when_no_order_is_known() -> None:
    responses, _ = await run(ActionAskChangeOrderNumber(FakeOrders(away=True)), tracker())
    assert responses == ["utter_order_change_away"]


async def test_several_open_orders_are_not_guessed_at() -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("1", OrderStatus.PACKED), Order("2", OrderStatus.PACKED)))
    assert await form.extract_change_order_number(CollectingDispatcher(), tracker(), {}) == {}


async def test_another_customers_number_is_not_found() -> None:
    form = ValidateOrderChangeForm(FakeOrders(Order("10234", OrderStatus.PACKED)))
    at = tracker(phone="+919000000000", numbers=("10234",))
    kept = await form.validate_change_order_number("10234", CollectingDispatcher(), at, {})
    assert kept == {"change_order_number": None}
    responses, _ = await run(ActionAskChangeOrderNumber(FakeOrders(Order("10234", OrderStatus.PACKED))), at)
    assert responses == ["utter_order_change_not_found"]


async def test_an_order_of_the_phone_one_had_before_is_passed_on_and_not_acted_on() -> None:
    form, dispatcher = ValidateOrderChangeForm(FakeOrders(Order("10234", OrderStatus.PACKED))), CollectingDispatcher()
    at = tracker(phone="+919000000000", change_kind="cancel")
    at.latest_message["metadata"]["former_phone"] = PHONE
    kept = await form.validate_change_order_number("10234", dispatcher, at, {})
    assert (kept["change_order_number"], kept["change_act"], dispatcher.messages) == ("10234", None, [])


async def test_no_number_yet_is_no_number_not_found() -> None:
    dispatcher = CollectingDispatcher()
    form = ValidateOrderChangeForm(FakeOrders())
    kept = await form.validate_change_order_number(None, dispatcher, tracker(), {})
    assert kept["change_order_number"] is None
    assert dispatcher.messages == []


async def test_without_open_orders_the_number_is_asked_for() -> None:
    responses, _ = await run(ActionAskChangeOrderNumber(FakeOrders()), tracker())
    assert responses == ["utter_order_change_ask_number"]


async def test_who_wishes_a_change_and_has_no_order_is_told_what_the_pages_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def from_pages(dispatcher: CollectingDispatcher, question: str, response: str) -> list[dict[str, Any]]:
        asked.append(question)
        dispatcher.utter_message(response=response)
        return []

    monkeypatch.setattr("actions.order_changes.which_order.told_from_pages", from_pages)
    at = tracker()
    at.latest_message["text"] = "how do i stop my club membership"
    assert (await run(ActionAskChangeOrderNumber(FakeOrders()), at))[0] == ["utter_return_policy_no_order"]
    await run(ActionAskChangeOrderNumber(FakeOrders(Order("10241", OrderStatus.PACKED))), at)
    await run(ActionAskChangeOrderNumber(FakeOrders()), tracker(intent="nlu_fallback"))
    assert asked == ["how do i stop my club membership"]


async def test_agreeing_calls_a_person_and_names_the_order() -> None:
    responses, events = await run(
        ActionOrderChangeOutcome(), tracker(change_order_number="10234", change_confirmed=True)
    )
    assert responses == []
    assert FollowupAction("action_escalate") in events
    assert any(event.get("name") == "order_number" and event.get("value") == "10234" for event in events)


async def test_declining_leaves_the_order_alone() -> None:
    responses, events = await run(
        ActionOrderChangeOutcome(), tracker(change_order_number="10234", change_confirmed=False)
    )
    assert responses == ["utter_order_change_kept"]
    assert not any(event["event"] == "followup" for event in events)


@pytest.mark.parametrize(
    ("action", "kind"), [(ActionBeginCancelOrder(), "cancel"), (ActionBeginChangeOrder(), "change")]
)
async def test_a_new_wish_forgets_the_old_one(action: Any, kind: str) -> None:
    _, events = await run(action, tracker(change_order_number="10234", change_confirmed=True))
    values = {event["name"]: event["value"] for event in events}
    assert values.pop("change_kind") == kind
    assert values.pop("awaiting_order_number") is False
    assert values.pop("change_wished_in") == "c"
    assert {"change_order_number", "change_confirmed", "change_act", "change_address"} <= values.keys()
    assert bool(values.pop("policy_question")) == (kind == "cancel")  # what questions in between go on from
    assert not any(values.values())


@pytest.mark.parametrize(("text", "agreed"), [("haan #10234 cancel kar do, confirm", True), ("next", None)])
async def test_a_yes_in_so_many_words_counts_however_it_was_read(text: str, agreed: bool | None) -> None:
    at = tracker(intent="affirm", change_kind="cancel", change_order_number="10234")
    at.latest_message |= {"text": text, "intent": {"name": "affirm", "confidence": 0.6}}
    form = ValidateOrderChangeForm(FakeOrders(Order("10234", OrderStatus.PACKED)))
    found = await form.validate_change_confirmed(True, CollectingDispatcher(), at, {})
    assert found == {"change_confirmed": agreed}


@pytest.mark.parametrize(("text", "number"), [("ok cancel the second", "10002"), ("cancel my order", "10001")])
async def test_a_place_in_a_wish_counts_the_list_shown_before(text: str, number: str) -> None:
    orders = [Order(f"1000{n}", OrderStatus.SHIPPED) for n in (1, 2)]
    at = tracker(change_kind="cancel", orders_offered=["10001", "10002"], order_number="10001")
    at.latest_message["text"] = text
    form = ValidateOrderChangeForm(FakeOrders(*orders))
    extracted = await form.extract_change_order_number(CollectingDispatcher(), at, {})
    assert extracted == {"change_order_number": number}


@pytest.mark.parametrize(("text", "number"), [
    ("cancel the packed one", "10002"), ("please cancel the one that is on its way", "10003"),
    ("cancel my order", None), ("cancel the second one", None),
])  # fmt: skip
async def test_an_order_is_known_by_its_status_also_before_a_list_was_shown(text: str, number: str | None) -> None:
    orders = [Order(f"1000{n}", status, None, None, None, None) for n, status in (
        (1, OrderStatus.PLACED), (2, OrderStatus.PACKED), (3, OrderStatus.SHIPPED))]  # fmt: skip
    at = tracker(change_kind="cancel")
    at.latest_message["text"] = text
    extracted = await ValidateOrderChangeForm(FakeOrders(*orders)).extract_change_order_number(
        CollectingDispatcher(), at, {}
    )
    assert extracted.get("change_order_number") == number


async def test_a_side_question_that_ends_in_the_list_is_not_followed_by_the_list_again() -> None:
    at = tracker(change_kind="cancel")
    at.events = said([("utter_order_change_choose", "")], [("utter_order_status_choose_again", "")])
    orders = [Order(f"1000{n}", OrderStatus.PLACED, None, None, None, None) for n in (1, 2)]
    assert await run(ActionAskChangeOrderNumber(FakeOrders(*orders)), at) == ([], [])


async def test_after_a_side_question_only_what_was_asked_is_asked_again() -> None:
    at = tracker(change_kind="cancel", change_order_number="10001")
    at.events = said([("utter_order_change_cancel_possible", "10001")], [("utter_order_status_placed", "10001")])
    order = Order("10001", OrderStatus.PLACED, None, None, None, None)
    assert (await run(ActionAskChangeConfirmed(FakeOrders(order)), at))[0] == ["utter_order_change_resume"]
