"""What `make check` says of an orders database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import settings
import shop
from tests.workbench.shop_check.conftest import COLUMNS, GOOD
from workbench.shop_check import database
from workbench.shop_check.database import database_findings
from workbench.shop_check.findings import ShopFinding

Orders = Callable[..., str]


def found(folder: Path, level: str | None = None) -> list[ShopFinding]:
    """What the database's check says, of one level."""
    everything = database_findings(settings.load(), shop.examine(folder)[0])
    return [one for one in everything if level in (None, one.level)]


def changed(column: str, *values: Any) -> list[list[Any]]:
    """Good rows, the first of them with these values."""
    rows = [list(row) for row in GOOD]
    for row, value in zip(rows, values, strict=False):
        row[COLUMNS.index(column)] = value
    return rows


def test_of_good_orders_nothing_is_said_but_their_count(folder: Path, orders: Orders) -> None:
    orders()
    assert [(one.level, one.count) for one in found(folder)] == [("information", 20)]


@pytest.mark.parametrize(("column", "values", "problem", "count"), [
    ("order_id", ["FF/2024/7", "X-77"], "2 of 20 order numbers are not of the shape", 2),
    ("order_id", ["FF-1004", "#ff-1003"], "2 order numbers are in 4 rows", 2),
    ("order_id", [None, "  "], "2 of 20 orders have no number", 2),
    ("status", ["sentt off", "sentt off"], "'sentt off' (2 of 20 orders) has no meaning", 2),
    ("customer_phone", ["home", "900123"], "2 of 20 phones cannot be read", 2),
    ("estimated_delivery", ["next week", "19 Dec"], "2 of 20 dates cannot be read", 2),
])
def test_what_customers_would_stumble_on_is_an_error_with_its_count(
    folder: Path, orders: Orders, column: str, values: list[Any], problem: str, count: int
) -> None:
    orders(changed(column, *values))
    errors = found(folder, "error")
    assert [(one.where, one.count) for one in errors] == [(f"orders.{column}", count)]
    assert problem in errors[0].problem
    assert errors[0].remedy


def test_the_meaning_of_the_nearest_known_status_is_proposed(folder: Path, orders: Orders) -> None:
    orders(changed("status", "sentt off"))
    assert "sentt off: shipped" in found(folder, "error")[0].remedy


@pytest.mark.parametrize(("column", "value", "problem"), [
    ("customer_phone", None, "1 of 20 orders have no phone"),
    ("status", None, "1 of 20 orders have no status"),
    ("tracking_url", "parcel 12", "1 of 20 tracking links are no web addresses"),
])
def test_a_gap_is_a_warning(folder: Path, orders: Orders, column: str, value: Any, problem: str) -> None:
    orders(changed(column, value))
    assert [one.problem[: len(problem)] for one in found(folder, "warning")] == [problem]
    assert not found(folder, "error")


def test_one_phone_of_many_that_cannot_be_read_fails_nothing(folder: Path, orders: Orders) -> None:
    rows = [(f"FF-{n}", "N", f"077009{n}", ("sent off", "awaiting")[n % 2], *GOOD[0][4:]) for n in range(10000, 10200)]
    rows[0] = ("FF-9999", "N", "no phone", *GOOD[0][3:])
    orders(rows)
    assert not found(folder, "error")
    assert [one.count for one in found(folder, "warning")] == [1]


def test_a_phone_that_could_be_of_two_countries_is_counted(folder: Path, orders: Orders) -> None:
    path = folder / "shop.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("region: GB", "region: DE"), encoding="utf-8")
    orders(changed("customer_phone", *["3612345678"] * 2, *["03612345678"] * 9, *["+493612345678"] * 9))
    assert [(one.count, "another country" in one.problem) for one in found(folder, "warning")] == [(2, True)]


@pytest.mark.parametrize(("region", "phones", "problem", "count"), [
    ("US", ["+447700900123"] * 12 + ["004930123456"] * 3, "another country than US, the region of shop.yml: GB (1", 15),
    ("US", ["7911123456"] * 15, "of no area or network that it has", 15),
    ("GB", ["7700900123"] * 12 + ["+14155550112"] * 8, "", 0),
])
def test_phones_that_are_most_of_them_no_numbers_of_the_region_are_told(
    folder: Path, orders: Orders, region: str, phones: list[str], problem: str, count: int
) -> None:
    path = folder / "shop.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("region: GB", f"region: {region}"), encoding="utf-8")
    orders(changed("customer_phone", *phones, *["+14155550112"] * (20 - len(phones))))
    assert not found(folder, "error")
    warnings = [one for one in found(folder, "warning") if "another country" in one.problem]
    assert [(problem in one.problem, one.count) for one in warnings] == [(True, count)] * bool(count)


def test_tracking_links_that_will_not_be_sent_are_told_by_where_they_lead(folder: Path, orders: Orders) -> None:
    orders(changed("tracking_url", "https://www.dhl.com/1", "https://evil.example/2", "https://evil.example/3"))
    assert not found(folder, "warning")
    path = folder / "shop.yml"
    path.write_text(f"{path.read_text(encoding='utf-8')}links: [dhl.com]\n", encoding="utf-8")
    (warning,) = found(folder, "warning")
    assert (warning.where, warning.count) == ("orders.tracking_url", 2)
    assert "evil.example (2)" in warning.problem


@pytest.mark.parametrize("missing", ["order_id", "customer_phone", "status"])
def test_a_column_that_is_needed_and_missing_is_an_error(folder: Path, orders: Orders, missing: str) -> None:
    orders([], [name for name in COLUMNS if name != missing], index=False)
    assert [one.where for one in found(folder, "error")] == [f"orders.{missing}"]


def test_a_column_that_is_useful_and_missing_is_a_warning(folder: Path, orders: Orders) -> None:
    orders(GOOD, [name for name in COLUMNS if name != "tracking_url"])
    assert [one.where for one in found(folder, "warning")] == ["orders.tracking_url"]


def test_a_look_up_that_has_to_scan_is_named_by_its_column(folder: Path, orders: Orders) -> None:
    orders(index=False)
    assert [one.where for one in found(folder, "warning")] == ["orders.order_id", "orders.customer_phone"]


@pytest.mark.parametrize(("phone", "told"), [("+44770090{n:04d}", False), ("(0044) 770090{n:04d}", True)])
def test_a_big_table_whose_phones_must_be_scanned_for_is_told(
    folder: Path, orders: Orders, monkeypatch: pytest.MonkeyPatch, phone: str, told: bool
) -> None:
    for module in ("actions.orders.repository", "workbench.shop_check.database"):
        monkeypatch.setattr(f"{module}.SMALL_TABLE_ROWS", 10)
    orders([(row[0], row[1], phone.format(n=n), *row[3:]) for n, row in enumerate(GOOD)])
    assert any("reads the whole table" in one.problem for one in found(folder, "warning")) == told


@pytest.mark.postgres
def test_mariadb_with_a_role_that_only_reads_is_fine_and_one_that_may_write_is_told(
    folder: Path, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, name = sa.create_engine(mariadb_url, future=True), sa.engine.make_url(mariadb_url).database
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE orders ({' VARCHAR(90), '.join(COLUMNS)} VARCHAR(90))")
        connection.exec_driver_sql("ALTER TABLE orders ADD PRIMARY KEY (order_id), ADD INDEX (customer_phone)")
        places = ", ".join(["%s"] * len(COLUMNS))
        connection.exec_driver_sql(f"INSERT INTO orders VALUES ({places})", [tuple(row) for row in GOOD])
        connection.exec_driver_sql(f"CREATE USER {name}_r IDENTIFIED BY 'hush'")
        connection.exec_driver_sql(f"GRANT SELECT ON {name}.orders TO {name}_r")
    engine.dispose()
    reader = mariadb_url.replace("mysql+pymysql://root@", f"mariadb://{name}_r:hush@")
    monkeypatch.setenv("ORDERS_DATABASE_URL", reader)
    assert [(one.level, one.count) for one in found(folder)] == [("information", 20)]
    monkeypatch.setenv("ORDERS_DATABASE_URL", mariadb_url)
    assert ["our role may write to it" in one.problem for one in found(folder, "warning")] == [True]


def test_an_empty_table_is_a_warning(folder: Path, orders: Orders) -> None:
    orders([])
    assert [one.problem for one in found(folder, "warning")] == ["the table is empty"]


@pytest.mark.parametrize(("url", "problem"), [
    ("sqlite:////nowhere/orders.db", "no such file"),
    ("postgresql://shop:hush@127.0.0.1:9/orders?password=hush", "cannot be reached"),
    ("mysql://shop:hush@127.0.0.1:9/orders", "cannot be reached"),
    ("mongodb://shop:hush@127.0.0.1/orders", "no URL of a database"),
])
def test_a_database_that_does_not_answer_is_an_error_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    monkeypatch.setenv("ORDERS_DATABASE_URL", url)
    said = found(folder)
    assert [one.level for one in said] == ["error"]
    assert problem in said[0].problem
    assert "hush" not in repr(said)


def test_one_phone_on_very_many_orders_is_told(folder: Path, orders: Orders) -> None:
    orders([(f"FF-{n}", *GOOD[0][1:]) for n in range(1000, 1030)])
    assert ["one phone is on 30 of 30" in one.problem for one in found(folder, "warning")] == [True]


def test_a_database_that_takes_too_long_is_told_apart_from_one_that_is_away(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'endless.db'}"
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW orders AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            f"SELECT {', '.join(f'i AS {name}' for name in COLUMNS)} FROM n"
        )
    monkeypatch.setenv("ORDERS_DATABASE_URL", url)
    monkeypatch.setattr(database, "TIMEOUT_S", 0.2)
    errors = found(folder, "error")
    assert ["took longer" in one.problem for one in errors] == [True]
    assert "index" in errors[0].remedy


def test_without_a_database_there_is_a_warning(folder: Path) -> None:
    assert [(one.level, one.where) for one in found(folder)] == [("warning", "ORDERS_DATABASE_URL")]


def test_sample_orders_are_not_taken_for_the_shops(folder: Path, orders: Orders) -> None:
    engine = sa.create_engine(orders(changed("order_id", "10234")), future=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE demo_seed (seeded_on)")
    engine.dispose()
    assert [(one.level, one.where) for one in found(folder)] == [("warning", "ORDERS_DATABASE_URL")]


def test_a_table_that_is_missing_is_an_error(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.db").touch()
    monkeypatch.setenv("ORDERS_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    assert [one.problem for one in found(folder, "error")] == ["there is no table or view `orders`"]


def test_no_finding_holds_a_customers_data(folder: Path, orders: Orders) -> None:
    rows = [(f"ZED{n}77", "Zebedee", f"Zebedee 98765{n}", f"call 98765{n}", f"Zebday {n}", *["z"] * 3)
            for n in range(10000, 10020)]  # fmt: skip
    orders(rows)
    said = repr(found(folder))
    assert "98765" not in said
    assert "Zeb" not in said
    assert "ZED" not in said


@pytest.fixture
def server(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.engine.Connection]:
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", future=True)
    monkeypatch.setenv("ORDERS_DATABASE_URL", postgres_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("kind", ["bigint", "numeric"])
def test_ids_and_phones_in_number_columns_are_read(folder: Path, server: sa.engine.Connection, kind: str) -> None:
    (folder / "shop.yml").write_text("name: A\nregion: GB\norders: {id_examples: [4127, 58100]}", encoding="utf-8")
    server.exec_driver_sql(f"CREATE TABLE orders (order_id {kind} PRIMARY KEY, customer_phone {kind}, status text, "
                           "estimated_delivery date)")  # fmt: skip
    server.exec_driver_sql("CREATE INDEX ON orders (customer_phone)")
    server.exec_driver_sql("INSERT INTO orders SELECT n, 447700896000 + n, "
                           "(ARRAY['shipped', 'packed'])[1 + mod(n, 2)], date '2026-12-19' "
                           "FROM generate_series(4000, 4100) n")  # fmt: skip
    assert not found(folder, "error")
    assert {one.where for one in found(folder, "warning")} == {
        "orders", "orders.carrier", "orders.tracking_number", "orders.tracking_url",
    }  # fmt: skip
    server.exec_driver_sql("INSERT INTO orders VALUES (77, 1, 'shipped', NULL)")
    assert [one.where for one in found(folder, "error")] == ["orders.order_id"]


def test_rights_are_told(
    folder: Path, server: sa.engine.Connection, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"reader_{postgres_url.rsplit('/', 1)[1]}"
    server.exec_driver_sql("CREATE TABLE orders (order_id text PRIMARY KEY, customer_phone text, status text)")
    server.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'hush'")
    try:
        as_reader = sa.engine.make_url(postgres_url).set(username=role, password="hush")
        monkeypatch.setenv("ORDERS_DATABASE_URL", as_reader.render_as_string(hide_password=False))
        assert [one.problem for one in found(folder, "error")] == ["our role has no right to read it"]
        server.exec_driver_sql(f"GRANT SELECT ON orders TO {role}")
        assert not found(folder, "error")
        assert not [one for one in found(folder) if "may write" in one.problem]
        server.exec_driver_sql(f"GRANT UPDATE ON orders TO {role}")
        assert [one.level for one in found(folder) if "may write to it (UPDATE)" in one.problem] == ["warning"]
    finally:
        server.exec_driver_sql(f"DROP OWNED BY {role}")
        server.exec_driver_sql(f"DROP ROLE {role}")


@pytest.mark.parametrize(("column", "value", "rows", "problem"), [
    ("estimated_delivery", "2019-03-01", 2, "2 of 20 open orders were due more than 90 days ago"),
    ("estimated_delivery", "2098-01-01", 1, "1 of 20 orders are due in more than a year"),
    ("estimated_delivery", "2019-03-01", 20, "the newest date of 20 orders is more than 90 days ago"),
    ("tracking_number", "PENDING-000001", 20, "20 of 20 orders have one and the same value here"),
    ("tracking_url", "https://carrier.co/p", 20, "20 of 20 orders have one and the same value here"),
    ("tracking_url", "https://carrier.co/?no={tracking}", 1, "1 of 20 tracking links still have a placeholder"),
    ("carrier", "PosÃ©", 3, "3 of 20 orders have garbled letters"),
])  # fmt: skip
def test_what_can_be_read_and_is_hardly_meant_is_a_warning(
    folder: Path, orders: Orders, column: str, value: str, rows: int, problem: str
) -> None:
    orders(changed(column, *[value] * rows))
    warnings = found(folder, "warning")
    assert any(one.problem.startswith(problem) and one.count == rows and one.remedy for one in warnings)
    assert not found(folder, "error")


def test_delivered_orders_of_one_status_that_are_still_to_come_and_tracked_by_their_own_numbers_are_doubted(
    folder: Path, orders: Orders
) -> None:
    said = ("+447700900123", "delivered", "2098-01-01", None)
    orders([(f"FF-{n}", "N", *said, f"ff-{n}", None) for n in range(1001, 1061)])
    warnings = " ".join(one.problem for one in found(folder, "warning"))
    assert "60 of 60 delivered orders are due in the future" in warnings
    assert "60 of 60 tracking numbers are the order's own number" in warnings
    assert "all 60 orders have one status" in warnings
