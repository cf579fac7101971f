"""Numbers of another shape, parts of numbers, tracking numbers, numbers on pictures."""

from __future__ import annotations

import pytest

from actions.order_status import (
    ActionCheckOrderStatus,
)
from actions.orders.models import Order, OrderStatus
from tests.actions.order_answers import FakeOrders, ashas, ask, order


async def test_what_is_no_order_number_of_this_shop_is_never_answered_with_another_order() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), misshaped="WC-9009")
    assert reply.responses == ["utter_order_status_misshaped"]
    assert "WC-9009" in reply.text
    assert "10234" in reply.text  # what the numbers look like, not this customer's order
    assert "on its way" not in reply.text


@pytest.mark.parametrize(("part", "told"), [
    ("00417", True), ("417", True), ("2026/417", True), ("202600417", True),
    ("OS/2026", False), ("PO-00417", False), ("0041", False), ("17", False),
])  # fmt: skip
async def test_a_part_of_the_number_of_one_of_ones_own_orders_names_it(part: str, told: bool) -> None:
    own = ashas(*(Order(f"OS/2026/00{end}", OrderStatus.SHIPPED) for end in ("417", "433")))
    reply = await ask(ActionCheckOrderStatus, own, misshaped=part)
    assert ("OS/2026/00417" in reply.text, reply.slots.get("order_number")) == (told, "OS/2026/00417" if told else None)
    others = await ask(ActionCheckOrderStatus, FakeOrders(), misshaped=part)
    assert others.responses == ["utter_order_status_misshaped"]


async def test_the_end_of_a_number_names_its_order_though_it_is_mostly_zeros() -> None:
    own = ashas(*(Order(f"112-330041{n}-000002{n}", OrderStatus.SHIPPED) for n in (0, 1)))
    reply = await ask(ActionCheckOrderStatus, own, misshaped="0000020")
    assert reply.slots.get("order_number") == "112-3300410-0000020"


@pytest.mark.parametrize(("text", "misshaped"), [
    ("track ee 123-456-789 in", None), ("where is EE123456789IN?", "EE123456789IN"),
])
async def test_a_tracking_number_of_ones_own_leads_to_its_order(text: str, misshaped: str | None) -> None:
    orders = ashas(order("10234", "shipped", 24, tracking_number="EE123456789IN"), order("10241", "packed"))
    reply = await ask(ActionCheckOrderStatus, orders, text=text, misshaped=misshaped)
    assert (reply.responses, reply.slots["order_number"]) == (["utter_order_status_shipped"], "10234")
    foreign = await ask(ActionCheckOrderStatus, orders, text="track EE987654321IN")
    assert foreign.responses == ["utter_order_status_choose"]


@pytest.mark.parametrize(("typed", "on_picture", "told"), [
    ([], "10234 62704", ["shipped 10234"]), ([], "62704 EE123456789IN", ["shipped 10234"]),
    ([], "62704 60001", ["not_found 62704"]), ([], "10555", ["not_found 10555"]),
    (["10555"], "10234", ["not_found 10555", "shipped 10234"]), (["10241"], "62704", ["packed 10241"]),
])  # fmt: skip
async def test_of_the_numbers_on_a_picture_those_count_that_are_orders_of_the_customer(
    typed: list[str], on_picture: str, told: list[str]
) -> None:
    orders = ashas(order("10234", "shipped", 24, tracking_number="EE123456789IN"), order("10241", "packed"))
    numbers = [*typed, *(word for word in on_picture.split() if word.isdigit())]
    reply = await ask(
        ActionCheckOrderStatus, orders, *numbers, text=" ".join([*typed, on_picture]), on_picture=on_picture
    )
    said = [
        f"{message['response'].removeprefix('utter_order_status_')} {message['order_number']}"
        for message in reply.messages
    ]
    assert said == told
