"""Who names no order is told of the only one, shown a list, or told that there is none."""

from __future__ import annotations

import re
from datetime import date

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge.answers.answering import GroundedAnswer, NotCovered
from actions.knowledge.pages.documents import Section
from actions.order_choice import choose_from
from actions.order_status import ActionCheckOrderStatus, OrderAction
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.refund_status import ActionCheckRefundStatus
from actions.skill import services
from tests.actions.order_answers import DOMAIN, ashas, ask, order

ITEMS = (OrderItem("a", "Mug", 3), OrderItem("b", "Lamp"), OrderItem("c"), OrderItem("d", "x" * 300),
         OrderItem("e", "Bowl"))  # fmt: skip


async def test_without_a_number_the_only_open_order_is_told() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234", "shipped", 24), order("10187", "delivered")))
    assert reply.responses == ["utter_order_status_shipped"]
    assert "#10234" in reply.text


async def test_without_a_number_several_open_orders_are_offered_as_a_list() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234", "shipped", 24), order("10235", "placed")))
    assert reply.responses == ["utter_order_status_choose"]
    assert "2 orders" in reply.text
    assert reply.messages[0]["custom"]["type"] == "list"
    assert 0 < len(reply.messages[0]["custom"]["button"]) <= 20
    assert reply.rows == [
        {"title": "#10234", "description": "On its way, due tomorrow, Tue 24 Nov",
         "payload": '/inform_order_number{"order_number":"10234"}'},
        {"title": "#10235", "description": "Placed", "payload": '/inform_order_number{"order_number":"10235"}'},
    ]
    assert reply.slots["awaiting_order_number"] is True


async def test_rows_name_what_is_in_an_order_as_far_as_there_is_room() -> None:
    several = Order("10234", OrderStatus.PACKED, date(2026, 11, 24), items=ITEMS)
    orders = ashas(several, Order("10235", OrderStatus.PLACED, items=ITEMS[1:2]))
    rows = (await ask(ActionCheckOrderStatus, orders)).rows
    assert rows[0]["description"].startswith("Packed, due tomorrow, Tue 24 Nov · 3 × Mug, Lamp, xxx")
    assert len(rows[0]["description"]) == 72
    assert rows[1]["description"] == "Placed · Lamp"


@pytest.mark.parametrize("status", [*OrderStatus, None])
@pytest.mark.parametrize("due", [None, date(2026, 11, 1), date(2026, 11, 30), date(2030, 9, 30)])
async def test_list_rows_fit_whatsapp_for_every_status(status: OrderStatus | None, due: date | None) -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(Order("10234", status, due), Order("9" * 20, status, due)))
    assert len(reply.rows) == 2
    for row in reply.rows:
        assert len(row["title"]) <= 24
        assert 0 < len(row["description"]) <= 72
        assert len(row["payload"]) < 150


async def test_more_than_ten_open_orders_are_offered_as_ten_and_a_hint() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(*(order(str(number)) for number in range(10301, 10313))))
    assert len(reply.rows) == 10
    assert re.search(r"\b12\b.*type its number", reply.text)


async def test_without_open_orders_the_one_that_has_come_is_told() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10187", "delivered")))
    assert reply.responses == ["utter_order_status_delivered"]


async def test_without_orders_the_number_is_asked_for_and_a_person_offered() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas())
    assert reply.responses == ["utter_order_status_no_open_orders"]
    assert "/request_human" in str(DOMAIN["responses"]["utter_order_status_no_open_orders"])


class FakePages:
    """Pages that answer one question."""

    async def answer(self, question: str, earlier: object = None) -> GroundedAnswer | NotCovered:
        section = Section("delivery", "Delivery", "Cut-off", "Paid by noon, sent today.", ("…",))
        answered = GroundedAnswer(section.text, section, ("delivery",), "extractive", "extractive")
        return answered if "noon" in question else NotCovered(0.1)


@pytest.mark.parametrize(("action", "none"), [
    (ActionCheckOrderStatus, "utter_order_status_no_open_orders"),
    (ActionCheckRefundStatus, "utter_order_status_no_refund"),
])
async def test_who_has_no_order_is_told_what_the_pages_say_in_one_bubble(
    action: type[OrderAction], none: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pages() -> FakePages:
        return FakePages()

    monkeypatch.setattr(services, "knowledge_when_built", pages)
    told = await ask(action, ashas(), text="paid before noon does it leave today")
    assert told.responses == ["utter_return_policy_no_order"]
    assert "sent today" in told.text
    assert (await ask(action, ashas(), text="where is my stuff")).responses == [none]
    delivered = await ask(ActionCheckOrderStatus, ashas(order("10187", "delivered")), text="paid before noon, you see")
    assert delivered.responses == ["utter_order_status_delivered"]


def test_other_skills_can_offer_the_same_list() -> None:
    dispatcher = CollectingDispatcher()
    choose_from([order("10234"), order("10235")], dispatcher, DOMAIN, response="utter_order_status_choose")
    assert [row["title"] for row in dispatcher.messages[0]["custom"]["rows"]] == ["#10234", "#10235"]
