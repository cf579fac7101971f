"""Where an order is, in the words of domain.yml."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from actions.order_details import ActionDeliveryDate
from actions.order_status import (
    ActionCheckOrderStatus,
    shop_today,
)
from actions.orders.models import Order, OrderItem, OrderStatus
from tests.actions.order_answers import DOMAIN, ashas, ask, order

LINK = "https://track.example/DL1"


@pytest.mark.parametrize(
    ("given", "response", "lines"),
    [
        (order("10234", "placed", 28), "placed", ["in 5 days, on Sat 28 Nov"]),
        (order("10234", "placed"), "placed", ["no delivery date yet"]),
        (order("10234", "confirmed", 25), "confirmed", ["in 2 days, on Wed 25 Nov"]),
        (order("10234", "packed", 24), "packed", ["tomorrow, Tue 24 Nov"]),
        (order("10234", "shipped", 24, carrier="Delhivery", tracking_number="DL1", tracking_url=LINK),
         "shipped", ["tomorrow, Tue 24 Nov", "Delhivery", "DL1", LINK]),
        (order("10234", "shipped", 22, carrier="Ekart"), "shipped", ["was due yesterday, Sun 22 Nov", "Ekart"]),
        (order("10234", "shipped", tracking_url=LINK), "shipped", ["no delivery date yet", LINK]),
        (order("10234", "out_for_delivery", 23), "out_for_delivery", ["today, Mon 23 Nov"]),
        (order("10234", "delayed", 20), "delayed", ["was due 3 days ago, on Fri 20 Nov"]),
        (order("10234", "delayed", 30), "delayed", ["in 7 days, on Mon 30 Nov"]),
        (order("10234", "delivered", 21, carrier="Blue Dart"), "delivered", ["Blue Dart"]),
        (order("10234", "cancelled", 30), "cancelled", []),
        (order("10234", "returned", 3), "returned", []),
        (order("10234", "refunded", 3), "refunded", []),
        (order("10234", None, 30), "unclear", []),
    ],
)
async def test_each_status_has_its_own_words(given: Order, response: str, lines: list[str]) -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(given), "10234")
    assert reply.responses == [f"utter_order_status_{response}"]
    assert "#10234" in reply.text
    assert all(line in reply.text for line in lines), reply.text
    assert reply.slots == {
        "order_number": "10234", "orders_shown": ["10234"], "failed_lookups": 0, "awaiting_order_number": False,
    }


@pytest.mark.parametrize("status", ["delivered", "cancelled", "returned", "refunded"])
async def test_an_ended_order_promises_no_delivery(status: str) -> None:
    for action in (ActionCheckOrderStatus, ActionDeliveryDate):
        reply = await ask(action, ashas(order("10234", status, 30)), "10234")
        assert "30 Nov" not in reply.text
        assert "should reach" not in reply.text


async def test_when_an_order_came_is_told_where_the_shop_knows() -> None:
    came = replace(order("10234", "delivered", 21), delivered_on=date(2026, 11, 20))
    assert "It arrived 3 days ago, on Fri 20 Nov." in (await ask(ActionCheckOrderStatus, ashas(came), "10234")).text


@pytest.mark.parametrize(("text", "told"), [
    ("when was it delivered", "10241"), ("kab mila tha", "10241"), ("quando foi entregue", "10241"),
    ("qué día llegó", "10241"), ("कब डिलीवर हुआ", "10241"), ("when did i get my parcel", "10241"),
    ("when will it be delivered", "10234"), ("when was it supposed to be delivered", "10234"), ("kab milega", "10234"),
    ("quando chega", "10234"), ("cuándo llega", "10234"), ("when did i order it", "10234"),
])  # fmt: skip
async def test_who_asks_when_something_came_means_what_has_come(text: str, told: str) -> None:
    orders = ashas(order("10234", "shipped", 24), order("10241", "delivered", 21))
    for action in (ActionCheckOrderStatus, ActionDeliveryDate):
        assert (await ask(action, orders, text=text)).slots["order_number"] == told
        assert (await ask(action, orders, text=text, order_number="10234")).slots["order_number"] == told


async def test_an_order_out_for_delivery_without_a_date_is_not_said_to_lack_one() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234", "out_for_delivery")), "10234")
    assert "no delivery date" not in reply.text


async def test_a_far_date_is_told_with_its_year() -> None:
    far = Order("10234", OrderStatus.CONFIRMED, date(2027, 2, 1))
    assert "on 1 Feb 2027." in (await ask(ActionCheckOrderStatus, ashas(far), "10234")).text


async def test_the_longest_answer_fits_though_everything_is_known() -> None:
    everything = order(
        "10234", "delayed", 20, carrier="The Professional Couriers", tracking_number="EE123456789IN",
        tracking_url="https://www.professional-couriers.example/track?n=EE123456789IN",
    )
    assert "EE123456789IN" in (await ask(ActionCheckOrderStatus, ashas(everything), "10234")).text


async def test_another_customers_order_and_an_unknown_one_get_the_same_words() -> None:
    orders = ashas(order("10234"))
    foreign, unknown = [await ask(ActionCheckOrderStatus, orders, number) for number in ("10555", "99999")]
    assert foreign.text.replace("10555", "99999") == unknown.text
    assert "#99999" in unknown.text
    assert foreign.responses == unknown.responses == ["utter_order_status_not_found"]
    told = ("order_number", "order")
    assert {k: v for k, v in foreign.messages[0].items() if k not in told} == {
        k: v for k, v in unknown.messages[0].items() if k not in told
    }
    assert foreign.slots == unknown.slots == {"failed_lookups": 1, "awaiting_order_number": True}


async def test_failed_look_ups_are_counted_until_one_succeeds() -> None:
    orders = ashas(order("10234"))
    assert (await ask(ActionCheckOrderStatus, orders, "99999", failed_lookups=2.0)).slots["failed_lookups"] == 3
    assert (await ask(ActionCheckOrderStatus, orders, "10234", failed_lookups=2.0)).slots["failed_lookups"] == 0


async def test_several_numbers_in_one_message_are_answered_in_their_order() -> None:
    orders = ashas(order("10234"), order("10235", "packed"))
    reply = await ask(ActionCheckOrderStatus, orders, "10235", "99999", "#10234")
    assert [response.rpartition("status_")[2] for response in reply.responses] == ["packed", "not_found", "shipped"]
    assert reply.slots["order_number"] == "10234"
    assert reply.slots["orders_shown"] == ["10235", "10234"]


async def test_a_number_said_twice_is_answered_once() -> None:
    assert len((await ask(ActionCheckOrderStatus, ashas(order("10234")), "10234", "# 10234", ["10234"])).texts) == 1


async def test_of_more_than_three_numbers_the_rest_is_named() -> None:
    orders = ashas(*(order(str(number)) for number in range(10001, 10006)))
    reply = await ask(ActionCheckOrderStatus, orders, *(str(number) for number in range(10001, 10006)))
    assert len(reply.texts) == 4
    assert "#10004, #10005" in reply.texts[3]


async def test_items_and_amount_are_told_where_the_shop_has_them() -> None:
    items = (OrderItem("a", "Mug", 3), OrderItem("b", "Lamp"), OrderItem("c"))
    known = Order("10234", OrderStatus.PACKED, items=items, total=Decimal("1499"))
    reply = await ask(ActionCheckOrderStatus, ashas(known))
    assert "\nIn it: 3 × Mug, Lamp\nTotal: ₹1,499.00" in reply.text
    reply = await ask(ActionCheckOrderStatus, ashas(replace(known, items=(), currency="eur")))
    assert "In it" not in reply.text
    assert "Total: €1,499.00" in reply.text
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234", "packed")))
    assert "Total" not in reply.text


def test_the_shops_day_is_indias() -> None:
    assert abs((shop_today() - date.today()).days) <= 1


def test_no_two_statuses_share_their_words() -> None:
    texts = [DOMAIN["responses"][f"utter_order_status_{status.value}"][0]["text"] for status in OrderStatus]
    assert len(set(texts)) == len(OrderStatus) == 10


async def test_an_order_is_named_as_the_shop_writes_it() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(Order("WC-1001", OrderStatus.SHIPPED)), "WC-1001")
    assert "WC-1001" in reply.text
    assert "#WC" not in reply.text
