"""Customers see their own orders, from a database that may be anything, and never wait long for it."""

from __future__ import annotations

import socket
import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.orders import repository as module
from actions.orders.database import read_only_engine, reading
from actions.orders.models import OrderStatus
from actions.orders.repository import OrderRepository, OrdersUnavailable
from tests.actions.orders.order_tables import ASHA, CREATE, VIKRAM, Fill, fill_table, numbers

COLUMNS = "order_id, customer_phone, status, estimated_delivery, carrier, tracking_number, tracking_url"


def test_the_customers_orders_are_found_by_their_numbers(fill: Fill) -> None:
    found = fill(("10234", ASHA, "shipped"), ("10235", ASHA, "packed")).find(["#10235", "10234"], ASHA)
    assert {number: order.status for number, order in found.items()} == {
        "10234": OrderStatus.SHIPPED, "10235": OrderStatus.PACKED,
    }


def test_another_customers_order_is_as_missing_as_one_that_does_not_exist(fill: Fill) -> None:
    repository = fill(("10234", ASHA, "shipped"))
    assert repository.find(["10234"], VIKRAM) == repository.find(["99999"], VIKRAM) == {}


def test_an_order_without_a_phone_belongs_to_nobody(fill: Fill) -> None:
    repository = fill(("10234", None, "shipped"), ("10235", "", "shipped"), ("10236", "call shop", "shipped"))
    assert repository.find(["10234", "10235", "10236"], ASHA) == {}
    assert repository.open_orders(ASHA) == []


@pytest.mark.parametrize(
    "stored",
    ["98765 43210", "09876543210", "0091 98765 43210", "+91-98765-43210", "919876543210", "+91 (987) 654-3210",
     "98-76-54-32-10", "+91.98765.43210", "98765 43210 (home)",
     "+91\u00a098765\u2013432\u00a010", "Ph: 9876543210"],
)
def test_orders_are_found_however_the_shop_wrote_the_phone(fill: Fill, stored: str) -> None:
    repository = fill(("10234", stored, "shipped"), ("10235", "98123 45670", "shipped"))
    assert numbers(repository.open_orders(ASHA)) == ["10234"]
    assert numbers(repository.find(["10234", "10235"], ASHA).values()) == ["10234"]


def test_one_customers_orders_are_found_together_though_written_differently(fill: Fill) -> None:
    repository = fill(
        ("10234", ASHA, "shipped"), ("10235", "0091 98765-43210", "shipped"), ("10236", "098765 43210", "packed")
    )
    assert set(numbers(repository.open_orders(ASHA))) == {"10234", "10235", "10236"}


def test_the_same_digits_in_another_country_are_another_customer(fill: Fill) -> None:
    repository = fill(("10234", "+1 987-654-3210", "shipped"), ("10235", "9876543210", "shipped"))
    assert numbers(repository.open_orders(ASHA)) == ["10235"]
    assert numbers(repository.find(["10234", "10235"], "+19876543210").values()) == ["10234"]


def test_open_orders_come_with_the_most_urgent_first(fill: Fill) -> None:
    repository = fill(
        ("1", ASHA, "placed"), ("2", ASHA, "shipped", "2026-11-30"), ("3", ASHA, "shipped", "2026-11-24"),
        ("4", ASHA, "delivered"), ("5", ASHA, "out_for_delivery"), ("6", ASHA, "in customs"),
        ("7", ASHA, "cancelled"), ("8", ASHA, "delayed"), ("9", ASHA, "refunded"),
    )
    assert numbers(repository.open_orders(ASHA)) == ["5", "8", "3", "2", "1", "6"]
    assert numbers(repository.refund_related_orders(ASHA)) == ["9", "7"]


def test_a_number_stored_with_its_sign_is_found_without_it(fill: Fill) -> None:
    assert numbers(fill(("#10234", ASHA, "shipped")).find(["10234"], ASHA).values()) == ["10234"]


@pytest.mark.parametrize(
    "wild",
    ["' OR '1'='1", "10234' --", "10234'; DROP TABLE orders; --", "%", "_____", "\\", "\x00", "10234\x00", "🧵", ""]
)
def test_numbers_are_data_and_never_sql(fill: Fill, wild: str) -> None:
    repository = fill(("10234", ASHA, "shipped"), ("10235", VIKRAM, "shipped"))
    assert set(repository.find([wild], ASHA)) <= {"10234"}
    assert repository.find([wild], VIKRAM) == {}
    assert numbers(repository.open_orders(VIKRAM)) == ["10235"]


def test_nothing_can_be_written(sql_url: str) -> None:
    fill_table(sql_url, [("10234", ASHA, "shipped")])
    engine = read_only_engine(sql_url, 2)
    with pytest.raises(sa.exc.SQLAlchemyError), reading(engine, 2) as connection:
        connection.execute(sa.text("DELETE FROM orders"))
    engine.dispose()


def test_a_missing_sqlite_file_is_unavailable_and_is_not_created(tmp_path: Path) -> None:
    repository = OrderRepository(f"sqlite:///{tmp_path}/absent.db")
    with pytest.raises(OrdersUnavailable):
        repository.find(["10234"], ASHA)
    assert not (tmp_path / "absent.db").exists()


def test_a_sqlite_file_in_another_encoding_is_still_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    fill_table(url, [("10234", ASHA, "shipped")])
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        connection.execute("UPDATE orders SET carrier = CAST(x'FF41' AS TEXT)")
    assert OrderRepository(url).find(["10234"], ASHA)["10234"].carrier == "\ufffdA"


@pytest.mark.slow
def test_a_locked_sqlite_file_is_unavailable_within_seconds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    fill_table(url, [("10234", ASHA, "shipped")])
    holder = sqlite3.connect(tmp_path / "orders.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(OrdersUnavailable):
        OrderRepository(url).open_orders(ASHA)
    assert time.monotonic() - began < 10
    holder.close()


def test_a_slow_sqlite_query_is_stopped(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        columns = COLUMNS.replace("order_id", "CAST(i AS TEXT) AS order_id").split(", ")
        selected = ", ".join(c if " AS " in c else f"'{ASHA}' AS {c}" for c in columns)
        connection.execute(f"CREATE VIEW orders AS SELECT {selected} FROM ({endless})")
    began = time.monotonic()
    with pytest.raises(OrdersUnavailable):
        OrderRepository(f"sqlite:///{tmp_path}/orders.db", statement_timeout_s=0.3).find(["x"], ASHA)
    assert time.monotonic() - began < 15


def test_a_slow_postgres_query_is_stopped(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text(CREATE.replace("TABLE orders", "TABLE stored")))
        connection.execute(sa.text("INSERT INTO stored (order_id, customer_phone) VALUES ('10234', :p)"), {"p": ASHA})
        connection.execute(sa.text("CREATE VIEW orders AS SELECT stored.* FROM stored, pg_sleep(30)"))
    engine.dispose()
    repository = OrderRepository(postgres_url, statement_timeout_s=0.5)
    began = time.monotonic()
    with pytest.raises(OrdersUnavailable):
        repository.find(["10234"], ASHA)
    assert time.monotonic() - began < 15
    repository.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_accepts_and_never_answers_is_unavailable_within_seconds(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        repository = OrderRepository(f"{scheme}://u:p@127.0.0.1:{silent.getsockname()[1]}/shop")
        began = time.monotonic()
        with pytest.raises(OrdersUnavailable):
            repository.find(["10234"], ASHA)
        assert time.monotonic() - began < 15


def test_a_server_that_is_not_there_is_unavailable_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(OrdersUnavailable):
        OrderRepository(f"postgresql://u:p@127.0.0.1:{port}/shop").open_orders(ASHA)
    assert time.monotonic() - began < 10


def test_a_table_too_big_to_scan_gives_no_orders_instead_of_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    fill_table(url, [("10234", "98-76-54-32-10", "shipped")])
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        connection.execute("CREATE INDEX by_phone ON orders (customer_phone)")
        connection.execute(
            "INSERT INTO orders (order_id, customer_phone) WITH RECURSIVE n(i) AS"
            " (SELECT 20000 UNION ALL SELECT i + 1 FROM n WHERE i < 120000) SELECT i, '+9180000' || i FROM n"
        )
    repository = OrderRepository(url, scan_timeout_s=0.001)
    assert numbers(repository.find(["10234"], ASHA).values()) == ["10234"]
    assert repository.open_orders(ASHA) == []
    assert "orders.phone_scan.given_up" in caplog.text
    assert numbers(repository.find(["10234"], ASHA).values()) == ["10234"]


@pytest.mark.parametrize(("phone", "scanned"), [("+91", False), ("0091 ", True)])
def test_a_big_table_is_scanned_only_where_phones_are_not_in_e164(
    sql_url: str, monkeypatch: pytest.MonkeyPatch, phone: str, scanned: bool
) -> None:
    monkeypatch.setattr(module, "SMALL_TABLE_ROWS", 50)
    fill_table(sql_url, [(f"{n}", f"{phone}98000000{n}", "shipped") for n in range(10, 99)])
    repository = OrderRepository(sql_url)
    repository.find(["10"], ASHA)
    said: list[str] = []
    sa.event.listen(repository._engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    assert repository.open_orders(ASHA) == []
    assert any("LIKE" in statement for statement in said) == scanned
    assert numbers(repository.open_orders("+919800000077")) == ["77"]
    repository.close()


def test_well_formed_phones_are_found_through_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    fill_table(url, [("10234", ASHA, "shipped")])
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        connection.execute("CREATE INDEX by_phone ON orders (customer_phone)")
        forms = module.written_forms(ASHA)
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM orders WHERE customer_phone IN ({','.join('?' * len(forms))})"
            " ORDER BY order_id DESC LIMIT 200", forms,
        ).fetchall()
    assert "USING INDEX by_phone" in str(plan)
    repository = OrderRepository(url)
    monkeypatch.setattr(repository, "_scanned", lambda *_: [])
    assert numbers(repository.open_orders(ASHA)) == ["10234"]


def test_passwords_and_phones_stay_out_of_error_texts() -> None:
    with pytest.raises(OrdersUnavailable) as caught:
        OrderRepository("postgresql://shop:hunter2@127.0.0.1:1/shop").find(["10234"], ASHA)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"
    assert ASHA not in f"{caught.value}{caught.value.__cause__}"
