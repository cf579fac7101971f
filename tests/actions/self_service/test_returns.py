"""What goes back: which items, how many of each, by when, and what for."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from actions.order_status import shop_today
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.self_service.acts import NOT_DONE, Answer
from actions.skill import services
from tests.actions.self_service.talking import CONFIRM, HERE, PACKED, SEVERAL, Owned, Port, Talk

HOW_MANY = "utter_self_service_how_many"


async def test_return_of_the_whole_order_where_its_items_are_not_known(port: Port) -> None:
    talk = Talk(Owned(HERE))
    assert await talk.say("return it", "start_return") == ["utter_ask_change_reason"]
    assert await talk.say("too small", "ask_return_policy") == ["utter_ask_change_wish"]
    assert await talk.say("exchange", "ask_return_policy") == [CONFIRM]
    assert "the whole order" in talk.said[0]["question"]
    assert "an exchange" in talk.said[0]["question"]
    await talk.say("yes", "affirm")
    assert port.asked[0].details == {"items": [], "reason": "too small", "wish": "exchange"}


async def test_return_of_chosen_items_of_which_some_cannot_go_back(port: Port) -> None:
    talk = Talk(Owned(SEVERAL))
    assert await talk.say("money back for 10190", "start_return", ["10190"]) == ["utter_self_service_items"]
    rows = talk.said[0]["custom"]["rows"]
    assert [row["title"] for row in rows] == ["Brass lamp", "2 × Blue kurta", "Everything"]
    assert rows[1]["payload"] == '/choose_option{"option":"k"}'
    assert await talk.say("/choose_option", "choose_option", option="k") == [HOW_MANY]
    assert [row["title"] for row in talk.said[0]["custom"]["rows"]] == ["1", "2"]
    assert talk.said[0]["custom"]["rows"][1]["payload"] == '/choose_option{"option":"count:k:2"}'
    assert await talk.say("/choose_option", "choose_option", option="count:k:2") == ["utter_ask_change_reason"]
    assert await talk.say("/choose_option", "choose_option", option="fit", typed="It does not fit") == [CONFIRM]
    await talk.say("yes", "affirm")
    assert port.asked[0].details == {
        "items": [{"item_id": "k", "quantity": 2}], "reason": "It does not fit", "wish": "refund",
    }  # fmt: skip


async def test_tap_on_the_list_of_another_order_chooses_nothing_of_this_one(port: Port) -> None:
    talk = Talk(Owned(SEVERAL))
    await talk.say("money back for 10190", "start_return", ["10190"])
    for of_another in ("shoes-of-10187", "2", "count:shoes-of-10187:1"):
        said = await talk.say("/choose_option", "choose_option", option=of_another)
        assert said[0].startswith("utter_self_service_items")
    await talk.say("/choose_option", "choose_option", option="k")
    said = await talk.say("/choose_option", "choose_option", option="count:shoes-of-10187:1")
    assert said == [f"{HOW_MANY}_again"]
    assert not port.asked


async def test_part_of_a_quantity_is_asked_said_in_the_summary_and_sent(port: Port) -> None:
    talk = Talk(Owned(SEVERAL))
    await talk.say("money back for 10190", "start_return", ["10190"])
    assert await talk.say("lamp and kurta", "nlu_fallback") == [HOW_MANY]
    assert await talk.say("does that cost me anything?", "ask_return_policy") == [HOW_MANY]
    assert await talk.say("5", "inform_order_number") == [f"{HOW_MANY}_again"]
    assert await talk.say("only one", "nlu_fallback") == ["utter_ask_change_reason"]
    assert await talk.say("too small", "ask_return_policy") == [CONFIRM]
    assert "Brass lamp, 1 of 2 × Blue kurta" in talk.said[0]["question"]
    await talk.say("yes 10190", "affirm", ["10190"])
    sent = [{"item_id": "l", "quantity": 1}, {"item_id": "k", "quantity": 1}]
    assert [act.details["items"] for act in port.asked] == [sent]


async def test_only_item_of_an_order_is_asked_how_many_where_there_are_several(port: Port) -> None:
    mugs = Order("10191", OrderStatus.DELIVERED, items=(OrderItem("m", "Mug", 3),))
    talk = Talk(Owned(mugs))
    assert await talk.say("money back for 10191", "start_return", ["10191"]) == [HOW_MANY]
    assert await talk.say("2 of them", "nlu_fallback") == ["utter_ask_change_reason"]
    talk = Talk(Owned(mugs))
    await talk.say("money back for 10191", "start_return", ["10191"])
    assert await talk.say("all of them", "nlu_fallback") == ["utter_ask_change_reason"]
    port.answer = Answer(NOT_DONE, why="HTTP 401")
    await talk.say("chipped", "nlu_fallback")
    assert "What: 3 × Mug" in talk.said[0]["question"]
    await talk.say("yes", "affirm")
    assert dict(talk.called[0]["sheet"])["items"] == "3 × Mug"


async def test_what_did_not_arrive_is_not_sent_back(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    assert await talk.say("return 10241", "start_return", ["10241"]) == ["utter_order_change_return_not_yet"]


@pytest.mark.parametrize(("days_ago", "window", "said"), [
    (31, 30, "utter_order_change_return_late"), (30, 30, "utter_ask_change_reason"),
    (400, None, "utter_ask_change_reason"), (None, 30, "utter_ask_change_reason"),
])  # fmt: skip
async def test_return_window_is_kept_where_page_and_table_say_it(
    port: Port, monkeypatch: pytest.MonkeyPatch, days_ago: int | None, window: int | None, said: str
) -> None:
    page = SimpleNamespace(days=window, section=SimpleNamespace(page_title="Returns"))
    answers = SimpleNamespace(return_window=lambda: page if window else None)
    monkeypatch.setattr(services, "knowledge", lambda: answers)
    came = None if days_ago is None else shop_today() - timedelta(days_ago)
    talk = Talk(Owned(Order("10187", OrderStatus.DELIVERED, delivered_on=came)))
    assert await talk.say("return 10187", "start_return", ["10187"]) == [said]


@pytest.mark.parametrize(("text", "intent", "numbers", "said"), [
    ("cancel 10241", "cancel_order", ["10241"], CONFIRM),
    ("where is 10241", "check_order_status", ["10241"], "utter_ask_change_reason"),
    ("how many days do i have", "ask_return_policy", [], "utter_ask_change_reason"),
    ("when it came it was broken", "ask_return_policy", [], "utter_ask_change_wish"),
])  # fmt: skip
async def test_question_or_another_wish_is_no_reason_for_a_return(
    port: Port, text: str, intent: str, numbers: list[str], said: str
) -> None:
    talk = Talk(Owned(HERE, PACKED))
    assert await talk.say("return it", "start_return", [HERE.number]) == ["utter_ask_change_reason"]
    assert await talk.say(text, intent, numbers) == [said]


@pytest.mark.parametrize(("text", "intent", "numbers"), [
    ("how many days do i have for 10187", "ask_return_policy", ["10187"]),
    ("where is 10187 right now", "check_order_status", ["10187"]),
])
async def test_question_with_digits_is_no_address(port: Port, text: str, intent: str, numbers: list[str]) -> None:
    talk = Talk(Owned(PACKED))
    assert await talk.say("change the address", "change_order") == ["utter_ask_change_address"]
    assert await talk.say(text, intent, numbers) == ["utter_ask_change_address"]
    assert talk.slots.get("change_address") is None
