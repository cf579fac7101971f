"""A row of a shop's table, whatever it holds, becomes an order that reads naturally."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from actions.orders.choosing import chosen
from actions.orders.models import Order, OrderItem, OrderStatus
from actions.orders.numbers import in_order, named, normal_number, same_number
from actions.orders.rows import RowReader

ROW: dict[str, Any] = {
    "order_id": "10234",
    "customer_phone": "+919876543210",
    "status": "shipped",
    "estimated_delivery": date(2026, 11, 24),
    "carrier": "Delhivery",
    "tracking_number": "DL1",
    "tracking_url": "https://track.example/DL1",
}
READER = RowReader()
EMPTY: dict[str, Any] = dict.fromkeys(ROW)


def test_a_well_formed_row_is_read_as_it_is() -> None:
    assert READER.order(ROW) == Order(
        "10234", OrderStatus.SHIPPED, date(2026, 11, 24), "Delhivery", "DL1", "https://track.example/DL1"
    )


def test_a_row_of_nulls_is_an_order_of_which_nothing_is_known() -> None:
    order = READER.order(EMPTY)
    assert order == Order("")
    assert order.open


@pytest.mark.parametrize(
    ("stored", "status"),
    [
        ("shipped", OrderStatus.SHIPPED),
        ("  Out For-Delivery ", OrderStatus.OUT_FOR_DELIVERY),
        ("OUT_FOR_DELIVERY", OrderStatus.OUT_FOR_DELIVERY),
        ("canceled", OrderStatus.CANCELLED),
        (b"packed", OrderStatus.PACKED),
        ("stuck in customs", None),
        ("", None),
        (7, None),
    ],
)
def test_statuses_are_understood_however_they_are_spelt(stored: object, status: OrderStatus | None) -> None:
    assert READER.order(EMPTY | {"status": stored}).status is status


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        (datetime(2026, 11, 24, 23, 30), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, 30, tzinfo=timezone.utc), date(2026, 11, 25)),
        ("2026-12-19T20:30:00Z", date(2026, 12, 20)),
        ("2026-12-19 20:30:00.123+00:00", date(2026, 12, 20)),
        ("2026-12-19 20:30 UTC", date(2026, 12, 20)),
        ("2026-12-19T20:30:00-0800", date(2026, 12, 20)),
        ("2026-12-19 20:30:00", date(2026, 12, 19)),
        ("13/14/2026", None),
        ("31.02.2026", None),
        ("2026-12-19 or 2026-12-22", None),
        ("12/09/26", None),
        ("2026-11-24", date(2026, 11, 24)),
        ("2026-11-24T10:00:00+05:30", date(2026, 11, 24)),
        ("2026/11/24 10:00", date(2026, 11, 24)),
        ("24/11/2026", date(2026, 11, 24)),
        ("5-1-2026", date(2026, 1, 5)),
        ("0000-00-00", None),
        ("9999-12-31", None),
        (date(1970, 1, 1), None),
        (datetime(1900, 1, 1), None),
        ("0001-01-01T00:00:00", None),
        ("next week", None),
        (20261124, None),
        (1797712200, date(2026, 12, 20)),
        ("1797712200000", date(2026, 12, 20)),
        (1797712200.0, date(2026, 12, 20)),
        (Decimal("1797712200"), date(2026, 12, 20)),
        (float("nan"), None),
        (True, None),
    ],
)
def test_dates_are_understood_however_they_are_stored(stored: object, day: date | None) -> None:
    assert READER.order(EMPTY | {"estimated_delivery": stored}).estimated_delivery == day


@pytest.mark.parametrize(
    "stored", ["", "-", "NULL", "n/a", "javascript:alert(1)", "ftp://x.example/1", "https://", "track.example/1",
               "https://a.example/ b", "https://a.example/\u202eevil", "https://" + "x" * 600, "http://[broken"]
)
def test_only_web_links_are_sent_as_links(stored: str) -> None:
    assert READER.order(EMPTY | {"tracking_url": stored}).tracking_url is None


def test_brackets_in_links_and_names_cannot_undo_the_filling_of_a_response() -> None:
    order = READER.order(EMPTY | {"tracking_url": "https://t.example/?a0[b]=1", "carrier": "Fast0[est]\nCo"})
    assert order.tracking_url == "https://t.example/?a0%5Bb%5D=1"
    assert order.carrier == "Fast0(est) Co"


@pytest.mark.parametrize(
    ("region", "zone", "stored", "day"),
    [
        ("US", "America/New_York", "12/09/2026", date(2026, 12, 9)),
        ("US", "America/New_York", "19/12/2026", date(2026, 12, 19)),
        ("US", "America/New_York", "2026-12-19T03:30:00Z", date(2026, 12, 18)),
        ("US", "America/New_York", "2026-12-19 03:30:00+00:00", date(2026, 12, 18)),
        ("GB", "Europe/London", "12/09/2026", date(2026, 9, 12)),
        ("BR", "America/Sao_Paulo", "12/09/2026 10:00", date(2026, 9, 12)),
        ("US", "America/New_York", "12/9/2026 3:30 PM", date(2026, 12, 9)),
        ("US", "America/New_York", "Dec 19, 2026", date(2026, 12, 19)),
        ("US", "America/New_York", "December 19th, 2026 08:00", date(2026, 12, 19)),
        ("GB", "Europe/London", "Sat, 19 Dec 2026", date(2026, 12, 19)),
        ("IN", "Asia/Kolkata", "19-Dec-2026", date(2026, 12, 19)),
        ("BR", "America/Sao_Paulo", "19 de dezembro de 2026", date(2026, 12, 19)),
        ("MX", "America/Mexico_City", "19 dic 2026", date(2026, 12, 19)),
        ("CZ", "Europe/Prague", "19. 12. 2026", date(2026, 12, 19)),
        ("GB", "Europe/London", "31 Feb 2026", None),
        ("GB", "Europe/London", "19 Brumaire 2026", None),
        ("BR", "America/Sao_Paulo", "2026-12-19T20:30:00Z", date(2026, 12, 19)),
        ("BR", "America/Sao_Paulo", 1797724800, None),
        ("BR", "America/Sao_Paulo", 1797735600, date(2026, 12, 20)),
        ("AU", "Australia/Sydney", "2026-12-19T20:30:00Z", date(2026, 12, 20)),
        ("CA", "America/Toronto", "12/09/2026", None),
        ("CA", "America/Toronto", "12/19/2026", date(2026, 12, 19)),
        ("CA", "America/Toronto", "09/09/2026", date(2026, 9, 9)),
    ],
)
def test_a_day_is_told_as_the_shop_means_it_or_not_at_all(
    region: str, zone: str, stored: str, day: date | None
) -> None:
    reader = RowReader(region, zone)
    assert reader.order(EMPTY | {"estimated_delivery": stored}).estimated_delivery == day


def test_the_shops_own_words_for_statuses_are_understood() -> None:
    reader = RowReader(statuses={"wc-completed": "delivered", "En reparto": "out_for_delivery", "Shipped": "packed"})
    stored = ["wc-completed", "WC_Completed", "EN  REPARTO", "shipped", "delivered", "en camino"]
    assert [reader.order(EMPTY | {"status": word}).status for word in stored] == [
        OrderStatus.DELIVERED, OrderStatus.DELIVERED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.PACKED,
        OrderStatus.DELIVERED, None,
    ]  # fmt: skip


def test_a_status_that_is_none_of_the_ten_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"'done' means 'deliverd'\. Remedy: one of placed, .*delivered"):
        RowReader(statuses={"done": "deliverd"})


def test_items_and_the_day_of_the_order_are_read_where_the_shop_has_them() -> None:
    row = ROW | {"placed_at": "2026-11-20T19:00:00Z"}
    items = [
        {"item_id": 7, "title": "Blue\nkurta", "quantity": 2.0, "price": "499.50", "currency": "INR", "returnable": 1},
        {"item_id": "B", "quantity": None, "price": "free", "returnable": "no"},
    ]
    order = READER.order(row, items)
    assert order.placed_at is not None
    assert order.placed_at.date() == date(2026, 11, 21)
    assert order.items == (
        OrderItem("7", "Blue kurta", 2, Decimal("499.50"), "INR", True), OrderItem("B", returnable=False)
    )


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        ("WC-1001", "WC-1001"),
        ("ORD/2024/001", "ORD/2024/001"),
        ("112-4567890-1234567", "112-4567890-1234567"),
        ("#SK/2025/0042", "SK/2025/0042"),
        ("EB 2041", "EB 2041"),
        (84021.0, "84021"),
        (Decimal("84021.00"), "84021"),
        ("84021.0", "84021"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_stays_as_the_shop_writes_it(stored: object, number: str) -> None:
    assert normal_number(stored) == number
    assert normal_number(number) == number


def test_numbers_of_digits_alone_are_named_with_a_sign_and_others_as_they_are() -> None:
    assert [named("10234"), named("WC-1001")] == ["#10234", "WC-1001"]


def test_capitals_are_no_difference_between_numbers_and_separators_are() -> None:
    assert same_number("wc-1001", "WC-1001")
    assert not same_number("1-12", "11-2")
    assert sorted(["WC-1001", "WC-999", "WB-7"], key=in_order) == ["WB-7", "WC-999", "WC-1001"]


@pytest.mark.parametrize("written", ["10234", "#10234", " # 10 234 ", "10234.", "१०२३४", 10234, b"10234", "１０２３４"])
def test_numbers_are_the_same_however_they_are_written(written: object) -> None:
    assert normal_number(written) == "10234"


@pytest.mark.parametrize(("text", "picked"), [
    ("what's with the one that's held", ["2"]), ("the WITH COURIER one", ["3"]), ("the late one", ["2"]),
    ("the delivered one", ["4"]), ("the second one", ["2"]), ("दूसरा वाला", ["2"]),
    ("जो मिल गया", ["4"]), ("i received it", ["4"]), ("uphold it", []),
    ("no, the one that hasn't come yet", ["1", "2", "3"]), ("jo nahi mila", ["1", "2", "3"]),
    ("the one you haven't sent", ["1"]), ("o que ainda não saiu", ["1"]),
    ("says delivered but i did not get it", ["4"]),
])
def test_an_order_is_picked_by_our_words_for_its_status_else_by_the_shops(text: str, picked: list[str]) -> None:
    reader = RowReader(statuses={"held": "delayed", "with_courier": "out_for_delivery", "received": "placed"})
    rows = [("1", "received"), ("2", "held"), ("3", "with_courier"), ("4", "delivered")]
    orders = [reader.order({"order_id": number, "status": said}) for number, said in rows]
    assert [order.number for order in chosen(text, orders)] == picked


@pytest.mark.parametrize(("text", "picked"), [
    ("the one that comes first", ["2"]), ("the earlier one", ["2"]), ("jaldi wala", ["2"]),
    ("pehle aayega wo", ["2"]), ("el que llega antes", ["2"]), ("o que chega primeiro", ["2"]), ("जो पहले आएगा", ["2"]),
    ("the later one i mean", ["1"]), ("the one arriving last", ["1"]), ("baad wala", ["1"]),
    ("o que chega depois", ["1"]), ("el que llega más tarde", ["1"]), ("बाद वाला", ["1"]),
    ("the first one", ["1"]), ("sooner or later", []),
])
def test_an_order_is_picked_by_the_day_on_which_it_comes(text: str, picked: list[str]) -> None:
    rows = [("1", "packed", "2026-12-09"), ("2", "shipped", "2026-12-03"), ("3", "shipped", "2026-12-05"),
            ("4", "delivered", "2026-11-20"), ("5", "packed", None)]  # fmt: skip
    orders = [RowReader().order({"order_id": number, "status": said, "estimated_delivery": day})
              for number, said, day in rows]  # fmt: skip
    assert [order.number for order in chosen(text, orders)] == picked


def test_of_two_that_come_on_one_day_none_is_the_first() -> None:
    orders = [RowReader().order({"order_id": number, "status": "packed", "estimated_delivery": "2026-12-09"})
              for number in "12"]  # fmt: skip
    assert chosen("the later one", orders) == []
