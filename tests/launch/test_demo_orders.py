"""The demo shop has something to show for every case, every day, and leaves other databases alone."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import phonenumbers
import pytest
import sqlalchemy as sa
import yaml

from actions.orders.models import OrderStatus
from actions.orders.phones import e164
from actions.orders.repository import OrderRepository
from actions.orders.rows import RowReader
from actions.skill import services
from components.order_numbers.shape import Shape
from components.order_numbers.shops import shop_pattern
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
    bought = orders.find(["10187"], ASHA.phone)["10187"].items
    assert [(item.quantity, item.returnable) for item in bought] == [(2, True), (1, True), (1, False)]
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
    assert (listed[0]["name"], listed[0]["phone"], listed[0]["shows"]) == (ASHA.name, "+919876543210", ASHA.shows)
    assert "Return 10187" in listed[0]["tries"]
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


def begin_shop(folder: Path, monkeypatch: pytest.MonkeyPatch, region: str = "GB", **orders: object) -> None:
    folder.mkdir(exist_ok=True)
    text = yaml.safe_dump({"name": "Oak", "region": region, "orders": orders})
    (folder / "shop.yml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SHOP_DIR", str(folder))


@pytest.mark.parametrize(("region", "orders"), [
    ("GB", {"id_examples": ["WC-1001", "WC-20455"]}),
    ("US", {"id_examples": ["112-4567890-1234567"]}),
    ("BR", {"id_examples": ["#4127"]}),
    ("MX", {"id_examples": ["ORD/2024/001"]}),
    ("AR", {"id_pattern": "R-\\d{4}/\\d"}),
    ("IT", {"id_pattern": "[A-Z]{2}[7-9]\\d{5}"}),
    ("BJ", {"id_examples": ["BJ.2026.0099", "BJ.2026.0001-B2"]}),
    ("NO", {"id_examples": [987654321]}),
])
def test_another_shops_sample_orders_are_in_its_own_shape(
    region: str, orders: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"on its way": "shipped", "posted": "shipped", "at the door": "out_for_delivery", "all done": "delivered"}
    begin_shop(tmp_path, monkeypatch, region, statuses=words, **orders)
    customers, made = demo_orders.samples()
    shape, reader = Shape.of(shop_pattern()), RowReader(statuses=words)
    assert [one.number for one in made if not shape.fits(one.number)] == []
    assert shape.fits(services.order_number_example().lstrip("#"))
    assert len({one.number for one in made}) == len(made) == len(DEMO_ORDERS)
    assert [reader.order(one.row(DAY)).status for one in made] == [OrderStatus(one.status) for one in DEMO_ORDERS]
    assert "on its way" in {one.status for one in made}
    for phone in [one.phone for one in customers]:
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))
        assert e164(phonenumbers.format_number(phonenumbers.parse(phone), 2), region) == phone
    assert len({one.phone for one in customers}) == len(CUSTOMERS)
    of_the_demo = {"marigold", "Delhivery", "Ekart", "Blue Dart", "India Post", *(one.name for one in CUSTOMERS)}
    assert not [word for word in of_the_demo if word in repr((customers, [one.row(DAY) for one in made]))]


def test_sample_orders_follow_a_changed_shape(sql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_shop(tmp_path / "oak", monkeypatch, id_examples=["WC-1001"])
    assert demo_orders.seed(sql_url, DAY) == "created"
    rows(sql_url, "DELETE FROM orders WHERE order_id = 'WC-1001'")
    assert demo_orders.seed(sql_url, DAY) == "current", "what somebody tried stays"
    begin_shop(tmp_path / "oak", monkeypatch, id_examples=["OS/100"])
    assert demo_orders.seed(sql_url, DAY) == "created"
    assert {str(number)[:3] for (number,) in rows(sql_url, "SELECT order_id FROM orders")} == {"OS/"}


def test_the_phone_shows_the_customers_of_the_sample_orders_or_a_visitor_of_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_shop(tmp_path / "oak", monkeypatch, "BR", id_examples=["4127"])
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("ORDERS_DATABASE_URL", raising=False)
    assert demo_orders.main([]) == 0
    (folder,) = (tmp_path / "state" / "shops").iterdir()
    listed = json.loads((folder / "demo_customers.json").read_text(encoding="utf-8"))
    found = OrderRepository(f"sqlite:///{folder}/orders.db", RowReader("BR")).open_orders(listed[0]["phone"])
    assert [order.number for order in found] == ["4127"]
    assert not [text for one in listed for text in one["tries"] if "{" in text or re.search(r"\b10\d{3}\b", text)]
    monkeypatch.setenv("ORDERS_DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    assert demo_orders.main([]) == 0
    (visitor,) = json.loads((folder / "demo_customers.json").read_text(encoding="utf-8"))
    assert visitor["phone"].startswith("+55")
