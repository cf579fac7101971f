"""Customers see their own orders, from a database that may be anything, and never wait long for it."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from actions.orders import columns
from actions.orders import repository as module
from actions.orders.database import read_only_engine, reading
from actions.orders.models import OrderStatus
from actions.orders.repository import OrderRepository, OrdersUnavailable
from actions.orders.rows import RowReader

ASHA, VIKRAM = "+919876543210", "+919812345670"
COLUMNS = "order_id, customer_phone, status, estimated_delivery, carrier, tracking_number, tracking_url"
CREATE = """CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer_name TEXT, customer_phone TEXT, status TEXT,
    estimated_delivery DATE, carrier TEXT, tracking_number TEXT, tracking_url TEXT)"""

Fill = Callable[..., OrderRepository]


def fill_table(url: str, rows: list[tuple[Any, ...]]) -> None:
    """A fresh orders table with rows of (number, phone, status[, estimated delivery])."""
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text(CREATE))
        for row in rows:
            number, phone, status, due = (*row, None)[:4]
            connection.execute(
                sa.text(
                    "INSERT INTO orders (order_id, customer_phone, status, estimated_delivery) VALUES (:n, :p, :s, :d)"
                ),
                {"n": number, "p": phone, "s": status, "d": due},
            )
    engine.dispose()


@pytest.fixture
def fill(sql_url: str) -> Iterator[Fill]:
    """Makes a repository over a table with the given rows, on SQLite and on PostgreSQL."""
    made: list[OrderRepository] = []

    def make(*rows: tuple[Any, ...], **options: Any) -> OrderRepository:
        fill_table(sql_url, list(rows))
        made.append(OrderRepository(sql_url, **options))
        return made[-1]

    yield make
    for repository in made:
        repository.close()


def numbers(orders: Any) -> list[str]:
    return [order.number for order in orders]


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
    assert time.monotonic() - began < 3.5
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
    assert time.monotonic() - began < 2


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
    assert time.monotonic() - began < 2
    repository.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_accepts_and_never_answers_is_unavailable_within_seconds(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        repository = OrderRepository(f"{scheme}://u:p@127.0.0.1:{silent.getsockname()[1]}/shop")
        began = time.monotonic()
        with pytest.raises(OrdersUnavailable):
            repository.find(["10234"], ASHA)
        assert time.monotonic() - began < 4.5


def test_a_server_that_is_not_there_is_unavailable_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(OrdersUnavailable):
        OrderRepository(f"postgresql://u:p@127.0.0.1:{port}/shop").open_orders(ASHA)
    assert time.monotonic() - began < 1


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


NUMBER_TYPES = ["INTEGER", "BIGINT", "NUMERIC(20,0)", "NUMERIC(20,2)", "REAL", "TEXT"]


def typed_table(url: str, number: str, phone: str, *rows: tuple[Any, Any]) -> None:
    """`orders` with columns of these types and shipped orders of (number, phone)."""
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        create = CREATE.replace("order_id TEXT", f"order_id {number}").replace("phone TEXT", f"phone {phone}")
        connection.execute(sa.text(create))
        for order_id, customer_phone in rows:
            connection.execute(
                sa.text("INSERT INTO orders (order_id, customer_phone, status) VALUES (:n, :p, 'shipped')"),
                {"n": order_id, "p": customer_phone},
            )
    engine.dispose()


@pytest.mark.parametrize("number_type", NUMBER_TYPES)
@pytest.mark.parametrize("phone_type", ["TEXT", "BIGINT", "NUMERIC(20,0)"])
def test_numbers_and_phones_are_found_in_columns_of_every_type(
    sql_url: str, number_type: str, phone_type: str
) -> None:
    typed_table(sql_url, number_type, phone_type, ("84021", "919876543210"), ("84022", "9876543210"), ("84023", "1"))
    repository = OrderRepository(sql_url)
    assert numbers(repository.find(["84021", "#84022", "84023", "WC-1001", "9" * 30], ASHA).values()) in (
        ["84021", "84022"], ["84022", "84021"]
    )  # fmt: skip
    assert numbers(repository.all_orders(ASHA)) == ["84022", "84021"]
    assert repository.find(["84021"], VIKRAM) == {}
    repository.close()


def test_numbers_are_found_in_a_view_that_computes_them(sql_url: str) -> None:
    typed_table(sql_url, "BIGINT", "BIGINT", (84021, 919876543210))
    engine = sa.create_engine(sql_url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE orders RENAME TO sales"))
        connection.execute(sa.text(
            "CREATE VIEW orders AS SELECT order_id + 0 AS order_id, customer_phone + 0 AS customer_phone, status"
            " FROM sales"
        ))
    engine.dispose()
    repository = OrderRepository(sql_url)
    assert numbers(repository.find(["84021"], ASHA).values()) == ["84021"]
    assert numbers(repository.open_orders(ASHA)) == ["84021"]
    repository.close()


def test_numbers_of_other_types_are_compared_as_text(postgres_url: str) -> None:
    number = "6a8e1f64-9f3c-4bd5-8a0c-3a5d1a4b7e21"
    typed_table(postgres_url, "UUID", "TEXT", (number, ASHA))
    repository = OrderRepository(postgres_url)
    assert numbers(repository.find([number.upper(), "10234"], ASHA).values()) == [number]
    repository.close()


@pytest.mark.parametrize("written", ["WC-1001", "112-4567890-1234567", "ORD/2024/001", "#SK/2025/0042"])
def test_numbers_of_any_shape_are_found_in_capitals_and_without(fill: Fill, written: str) -> None:
    repository = fill((written, ASHA, "shipped"), ("WC-1002", ASHA, "shipped"))
    asked = written.lower().lstrip("#")
    found = repository.find([asked], ASHA)
    assert {key: order.number for key, order in found.items()} == {asked: written.lstrip("#")}


def test_every_row_is_found_by_its_own_spelling_of_the_phone(fill: Fill) -> None:
    repository = fill(
        ("71001", "+44 7911 123456", "shipped"), ("71002", "07911 123456", "packed"),
        ("71003", "(0044) 7911-123456", "delayed"), ("71004", "447911123456", "confirmed"),
        ("71005", "07911 123457", "shipped"),
        reader=RowReader("GB", "Europe/London"),
    )  # fmt: skip
    assert set(numbers(repository.open_orders("+447911123456"))) == {"71001", "71002", "71003", "71004"}


@pytest.mark.parametrize(
    ("stored", "sender"),
    [("+5541991230000", "+554191230000"), ("41 9123-0000", "+5541991230000"), ("+541123456789", "+5491123456789"),
     ("011 15 2345-6789", "+541123456789"), ("+52 1 55 1234 5678", "+525512345678"), ("5512345678", "+5215512345678"),
     ("97 12 34 56", "+2290197123456"), ("+2290197123456", "+22997123456")],
)  # fmt: skip
def test_orders_are_found_under_the_other_number_of_the_same_telephone(fill: Fill, stored: str, sender: str) -> None:
    region = {"+55": "BR", "+54": "AR", "+52": "MX", "+22": "BJ"}[sender[:3]]
    repository = fill(("61001", stored, "shipped"), ("61002", "+5541991230001", "shipped"), reader=RowReader(region))
    assert numbers(repository.open_orders(sender)) == ["61001"]
    assert numbers(repository.find(["61001", "61002"], sender).values()) == ["61001"]


def test_all_orders_come_newest_first_by_the_day_they_were_placed(sql_url: str) -> None:
    fill_table(sql_url, [("WC-999", ASHA, "delivered"), ("WC-1001", ASHA, "shipped"), ("WC-1000", ASHA, "cancelled")])
    repository = OrderRepository(sql_url)
    assert numbers(repository.all_orders(ASHA)) == ["WC-1001", "WC-1000", "WC-999"]
    engine = sa.create_engine(sql_url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE orders ADD COLUMN placed_at TIMESTAMP"))
        connection.execute(sa.text("UPDATE orders SET placed_at = '2026-11-20 10:00:00' WHERE order_id = 'WC-999'"))
    engine.dispose()
    repository.close()
    assert numbers(OrderRepository(sql_url).all_orders(ASHA)) == ["WC-999", "WC-1001", "WC-1000"]


def test_items_come_with_their_order_where_there_is_a_table_of_them(sql_url: str) -> None:
    typed_table(sql_url, "BIGINT", "TEXT", (84021, ASHA), (84022, ASHA), (84023, VIKRAM))
    engine = sa.create_engine(sql_url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE order_items (order_id TEXT, item_id INTEGER, title TEXT, qty INT)"))
        connection.execute(sa.text(
            "INSERT INTO order_items VALUES ('84021', 1, 'Kurta', 2), ('84021', 2, 'Scarf', 1), ('84023', 3, 'Ring', 1)"
        ))
    engine.dispose()
    repository = OrderRepository(sql_url)
    orders = {order.number: [item.title for item in order.items] for order in repository.all_orders(ASHA)}
    assert orders == {"84021": ["Kurta", "Scarf"], "84022": []}
    repository.close()


def test_a_look_up_takes_one_query_or_two_and_absent_tables_are_found_out_once(sql_url: str) -> None:
    fill_table(sql_url, [("10234", ASHA, "shipped")])
    repository = OrderRepository(sql_url)
    repository.find(["10234"], ASHA)
    said: list[str] = []
    sa.event.listen(repository._engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    repository.find(["10234"], ASHA)
    assert [statement for statement in said if not statement.startswith("SET")] == [said[-1]]
    repository.close()


def test_a_table_without_the_columns_that_are_needed_is_unavailable_and_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        connection.execute("CREATE TABLE orders (order_id TEXT, status TEXT)")
    with pytest.raises(OrdersUnavailable):
        OrderRepository(f"sqlite:///{tmp_path}/orders.db").find(["10234"], ASHA)
    assert "missing=customer_phone" in caplog.text


@pytest.mark.parametrize(("type_code", "texts"), [(8, False), (246, False), (253, True), (252, True)])
def test_mysql_is_asked_in_the_type_of_its_column(type_code: int, texts: bool) -> None:
    """A number beside a text column would be compared as a number there: '10234abc' would be 10234."""
    dialect = sa.create_mock_engine("mysql+pymysql://", executor=lambda *_: None).dialect
    kind = columns._kind(SimpleNamespace(dialect=dialect), type_code)  # type: ignore[arg-type]
    table = columns.Columns("orders", {"order_id": kind})
    condition = table.is_one_of("order_id", ["10234", "#10234"], [10234])
    compiled = str(condition.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    assert ("'#10234'" in compiled) is texts
    assert ("(10234)" in compiled) is not texts
