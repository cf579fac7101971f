"""Tables as shops have them: column types, views, spellings, optional columns and items."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from actions.orders import columns
from actions.orders.repository import OrderRepository, OrdersUnavailable
from actions.orders.rows import RowReader
from tests.actions.orders.order_tables import ASHA, CREATE, VIKRAM, Fill, fill_table, numbers

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


@pytest.mark.postgres
@pytest.mark.parametrize("phone_type", ["VARCHAR(40)", "BIGINT", "DECIMAL(20,0)"])
@pytest.mark.parametrize("number_type", ["VARCHAR(40)", "INTEGER", "BIGINT", "DECIMAL(20,2)", "DOUBLE"])
def test_mariadb_finds_numbers_and_phones_in_columns_of_every_type(
    mariadb_url: str, number_type: str, phone_type: str
) -> None:
    longer = [("84021abc", "1")] if number_type == phone_type == "VARCHAR(40)" else []
    typed_table(mariadb_url, number_type, phone_type, ("84021", "919876543210"), ("84022", "9876543210"), *longer)
    repository = OrderRepository(mariadb_url.replace("mysql+pymysql", "mariadb"))
    assert sorted(numbers(repository.find(["84021", "#84022", "WC-1001", "9" * 30], ASHA).values())) == [
        "84021", "84022"
    ]  # fmt: skip
    assert numbers(repository.all_orders(ASHA)) == ["84022", "84021"]
    assert repository.find(["84021"], VIKRAM) == {}
    with pytest.raises(sa.exc.OperationalError, match="READ ONLY"), repository._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM orders")
    repository.close()


@pytest.mark.postgres
def test_mariadb_that_is_slow_is_given_up_in_time(mariadb_url: str) -> None:
    typed_table(mariadb_url, "INTEGER", "VARCHAR(40)", (84021, ASHA))
    engine = sa.create_engine(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE orders RENAME TO sales")
        connection.exec_driver_sql("CREATE VIEW orders AS SELECT *, SLEEP(0.2) AS slow FROM sales WHERE SLEEP(0.2) = 0")
    repository = OrderRepository(mariadb_url, statement_timeout_s=0.1)
    with pytest.raises(OrdersUnavailable):
        repository.find(["84021"], ASHA)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW PROCESSLIST").rowcount < 5, "the server has stopped it, too"
    engine.dispose()
    repository.close()


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
