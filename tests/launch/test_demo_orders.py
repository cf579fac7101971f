"""The demo shop has something to show for every case, every day, and leaves other databases alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.orders.models import OrderStatus
from actions.orders.repository import OrderRepository
from launch import demo_orders
from launch.demo_orders import ASHA, CUSTOMERS, DEMO_ORDERS, FARHAN, LAKSHMI, MEERA, VIKRAM

DAY = date(2026, 11, 23)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        result = connection.execute(sa.text(query))
        found = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return found


def test_every_case_has_its_customer(sql_url: str) -> None:
    assert demo_orders.seed(sql_url, DAY) == "created"
    orders = OrderRepository(sql_url)
    only = orders.open_orders(ASHA.phone)
    assert [(order.number, order.status) for order in only] == [("10234", OrderStatus.SHIPPED)]
    assert only[0].carrier
    assert only[0].tracking_url
    assert only[0].estimated_delivery == DAY + timedelta(days=1)
    assert 1 < len(orders.open_orders(VIKRAM.phone)) <= 10
    assert len(orders.open_orders(FARHAN.phone)) > 10
    assert orders.open_orders(MEERA.phone) == []
    assert len(orders.refund_related_orders(LAKSHMI.phone)) == 3
    assert {order.status for order in DEMO_ORDERS} == {status.value for status in OrderStatus}
    assert {None} < {order.due for order in DEMO_ORDERS}
    orders.close()


def test_seeding_again_on_the_same_day_changes_nothing(sql_url: str) -> None:
    demo_orders.seed(sql_url, DAY)
    rows(sql_url, "UPDATE orders SET status = 'delivered' WHERE order_id = '10234'")
    before = rows(sql_url, "SELECT * FROM orders ORDER BY order_id")
    assert demo_orders.seed(sql_url, DAY) == "current"
    assert rows(sql_url, "SELECT * FROM orders ORDER BY order_id") == before


def test_dates_move_along_and_what_somebody_tried_stays(sql_url: str) -> None:
    demo_orders.seed(sql_url, DAY)
    rows(sql_url, "UPDATE orders SET status = 'delayed' WHERE order_id = '10234'")
    rows(sql_url, "INSERT INTO orders (order_id, status) VALUES ('77777', 'placed')")
    later = DAY + timedelta(days=40)
    assert demo_orders.seed(sql_url, later) == "refreshed"
    order = OrderRepository(sql_url).open_orders(ASHA.phone)[0]
    assert (order.status, order.estimated_delivery) == (OrderStatus.DELAYED, later + timedelta(days=1))
    assert rows(sql_url, "SELECT count(*) FROM orders") == [(len(DEMO_ORDERS) + 1,)]


def test_a_table_that_the_demo_did_not_make_is_left_alone(sql_url: str) -> None:
    rows(sql_url, "CREATE TABLE orders (order_id TEXT PRIMARY KEY)")
    assert demo_orders.seed(sql_url, DAY) == "not_ours"
    assert rows(sql_url, "SELECT * FROM orders") == []


def test_the_command_seeds_the_default_database_and_lists_the_customers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path = tmp_path / "a folder"
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.delenv("ORDERS_DATABASE_URL", raising=False)
    assert demo_orders.main([]) == 0
    assert "created" in capsys.readouterr().err
    listed = json.loads((tmp_path / "demo_customers.json").read_text())
    assert listed[0] == {"name": ASHA.name, "phone": "+919876543210", "shows": ASHA.shows}
    assert len(listed) == len(CUSTOMERS) >= 6
    assert len(OrderRepository(f"sqlite:///{tmp_path}/orders.db").find(["10234"], ASHA.phone)) == 1


def test_the_command_leaves_a_configured_database_alone_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ORDERS_DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    assert demo_orders.main([]) == 0
    assert "the shop's own database" in capsys.readouterr().err
    assert not (tmp_path / "shop.db").exists()
    assert demo_orders.main(["--any-database"]) == 0
    assert (tmp_path / "shop.db").exists()


def test_numbers_and_phones_are_as_the_contract_says() -> None:
    assert all(len(order.number) == 5 and order.number.isdigit() for order in DEMO_ORDERS)
    assert len({order.number for order in DEMO_ORDERS}) == len(DEMO_ORDERS)
    assert len({customer.phone for customer in CUSTOMERS}) == len(CUSTOMERS)
