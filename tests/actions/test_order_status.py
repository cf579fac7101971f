"""What customers read when they ask about their orders. Today is Monday, 23 November 2026."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge.answers.answering import GroundedAnswer, NotCovered
from actions.knowledge.pages.documents import Section
from actions.order_choice import ActionOtherOrder
from actions.order_status import (
    ActionCheckOrderStatus,
    ActionDeliveryDate,
    OrderAction,
    choose_from,
    shop_today,
)
from actions.orders.lookup import Orders
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.orders.repository import OrderRepository, OrdersUnavailable
from actions.refund_status import ActionCheckRefundStatus
from actions.skill import services
from tests.actions.order_answers import ASHA, DOMAIN, VIKRAM, FakeOrders, ashas, ask, order

LINK = "https://track.example/DL1"


class BrokenOrders(FakeOrders):
    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        raise OrdersUnavailable

    async def open_orders(self, phone: str) -> list[Order]:
        raise OrdersUnavailable

    async def refund_related_orders(self, phone: str) -> list[Order]:
        raise OrdersUnavailable


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


ITEMS = (OrderItem("a", "Mug", 3), OrderItem("b", "Lamp"), OrderItem("c"), OrderItem("d", "x" * 300),
         OrderItem("e", "Bowl"))  # fmt: skip


async def test_items_and_amount_are_told_where_the_shop_has_them() -> None:
    known = Order("10234", OrderStatus.PACKED, items=ITEMS[:3], total=Decimal("1499"))
    reply = await ask(ActionCheckOrderStatus, ashas(known))
    assert "\nIn it: 3 × Mug, Lamp\nTotal: ₹1,499.00" in reply.text
    reply = await ask(ActionCheckOrderStatus, ashas(replace(known, items=(), currency="eur")))
    assert "In it" not in reply.text
    assert "Total: €1,499.00" in reply.text
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234", "packed")))
    assert "Total" not in reply.text


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


@pytest.mark.parametrize("phone", [None, "", "IN.4159876", "call me"])
@pytest.mark.parametrize(
    "action", [ActionCheckOrderStatus, ActionDeliveryDate, ActionOtherOrder, ActionCheckRefundStatus]
)
async def test_without_a_phone_nothing_is_looked_up(action: type[OrderAction], phone: str | None) -> None:
    reply = await ask(action, BrokenOrders(), "10234", phone=phone)
    assert reply.responses == ["utter_order_status_share_contact"]


async def test_the_phone_of_the_message_counts_and_not_the_conversations() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), "10234", phone=VIKRAM, phone_slot=ASHA)
    assert reply.responses == ["utter_order_status_not_found"]


@pytest.mark.parametrize(
    "action", [ActionCheckOrderStatus, ActionDeliveryDate, ActionOtherOrder, ActionCheckRefundStatus]
)
async def test_a_database_that_is_down_is_admitted_and_a_person_offered(action: type[OrderAction]) -> None:
    for numbers in ([], ["10234"]):
        reply = await ask(action, BrokenOrders(), *numbers)
        assert reply.responses == ["utter_order_status_unavailable"]
        assert reply.slots["failed_lookups"] == 1
    assert "/request_human" in str(DOMAIN["responses"]["utter_order_status_unavailable"])


@pytest.mark.slow
async def test_a_database_that_hangs_is_admitted_within_five_seconds() -> None:
    class Hanging(OrderRepository):
        def open_orders(self, phone: str) -> list[Order]:
            time.sleep(6)
            return []

    began = time.monotonic()
    reply = await ask(ActionCheckOrderStatus, Orders(Hanging("sqlite:///absent.db")))
    assert reply.responses == ["utter_order_status_unavailable"]
    assert time.monotonic() - began < 5


async def test_any_other_failure_is_an_apology() -> None:
    class Faulty(FakeOrders):
        async def open_orders(self, phone: str) -> list[Order]:
            raise KeyError("bug")

    tracker = Tracker("1", {}, {"metadata": {"phone": ASHA}}, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    assert await ActionCheckOrderStatus(Faulty()).run(dispatcher, tracker, DOMAIN) == []  # type: ignore[arg-type]
    assert [message["response"] for message in dispatcher.messages] == ["utter_fallback_apology"]


@pytest.mark.parametrize("wild", ["", "###", None, 10234, "1' OR '1'='1", "{order_number}", "0[x]", "٩٩٩٩٩", "a" * 500])
async def test_whatever_stands_for_a_number_is_answered(wild: Any) -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), wild)
    assert len(reply.texts) == 1


def test_other_skills_can_offer_the_same_list() -> None:
    dispatcher = CollectingDispatcher()
    choose_from([order("10234"), order("10235")], dispatcher, DOMAIN, response="utter_order_status_choose")
    assert [row["title"] for row in dispatcher.messages[0]["custom"]["rows"]] == ["#10234", "#10235"]


def test_the_shops_day_is_indias() -> None:
    assert abs((shop_today() - date.today()).days) <= 1


def test_no_two_statuses_share_their_words() -> None:
    texts = [DOMAIN["responses"][f"utter_order_status_{status.value}"][0]["text"] for status in OrderStatus]
    assert len(set(texts)) == len(OrderStatus) == 10


async def test_an_order_is_named_as_the_shop_writes_it() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(Order("WC-1001", OrderStatus.SHIPPED)), "WC-1001")
    assert "WC-1001" in reply.text
    assert "#WC" not in reply.text


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
