"""A row of a shop's table, whatever it holds, becomes an order that reads naturally."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.orders.models import Order, OrderStatus, normal_number

ROW: dict[str, Any] = {
    "order_id": "10234",
    "customer_phone": "+919876543210",
    "status": "shipped",
    "estimated_delivery": date(2026, 11, 24),
    "carrier": "Delhivery",
    "tracking_number": "DL1",
    "tracking_url": "https://track.example/DL1",
}
EMPTY: dict[str, Any] = dict.fromkeys(ROW)


def test_a_well_formed_row_is_read_as_it_is() -> None:
    assert Order.from_row(ROW) == Order(
        "10234", OrderStatus.SHIPPED, date(2026, 11, 24), "Delhivery", "DL1", "https://track.example/DL1"
    )


def test_a_row_of_nulls_is_an_order_of_which_nothing_is_known() -> None:
    order = Order.from_row(EMPTY)
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
    assert Order.from_row(EMPTY | {"status": stored}).status is status


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        (datetime(2026, 11, 24, 23, 30), date(2026, 11, 24)),
        ("2026-11-24", date(2026, 11, 24)),
        ("2026-11-24T10:00:00+05:30", date(2026, 11, 24)),
        ("2026/11/24 10:00", date(2026, 11, 24)),
        ("24/11/2026", date(2026, 11, 24)),
        ("5-1-2026", date(2026, 1, 5)),
        ("0000-00-00", None),
        ("next week", None),
        (20261124, None),
    ],
)
def test_dates_are_understood_however_they_are_stored(stored: object, day: date | None) -> None:
    assert Order.from_row(EMPTY | {"estimated_delivery": stored}).estimated_delivery == day


@pytest.mark.parametrize(
    "stored", ["", "-", "NULL", "n/a", "javascript:alert(1)", "ftp://x.example/1", "https://", "track.example/1",
               "https://a.example/ b", "https://a.example/\u202eevil", "https://" + "x" * 600, "http://[broken"]
)
def test_only_web_links_are_sent_as_links(stored: str) -> None:
    assert Order.from_row(EMPTY | {"tracking_url": stored}).tracking_url is None


def test_brackets_in_links_and_names_cannot_undo_the_filling_of_a_response() -> None:
    order = Order.from_row(EMPTY | {"tracking_url": "https://t.example/?a0[b]=1", "carrier": "Fast0[est]\nCo"})
    assert order.tracking_url == "https://t.example/?a0%5Bb%5D=1"
    assert order.carrier == "Fast0(est) Co"


@pytest.mark.parametrize("written", ["10234", "#10234", " # 10 234 ", "10234.", "१०२३४", 10234, b"10234", "１０２３４"])
def test_numbers_are_the_same_however_they_are_written(written: object) -> None:
    assert normal_number(written) == "10234"


@given(st.fixed_dictionaries(
    {column: st.none() | st.text() | st.binary() | st.integers() | st.floats() | st.dates() | st.datetimes()
     for column in ROW}
))
def test_no_row_is_too_strange_to_read(row: dict[str, Any]) -> None:
    order = Order.from_row(row)
    assert all(c.isprintable() for c in f"{order.number}{order.carrier}{order.tracking_url}")
    assert len(order.carrier or "") <= 60
    assert order.urgency >= (0, date.min)
