"""`orders import`: an export of a hosted shop becomes the table that the assistant reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.orders.models import OrderStatus
from actions.orders.repository import OrderRepository
from actions.orders.rows import RowReader
from launch import demo_orders
from workbench.__main__ import main

SHOP = """name: Fen & Ferry
region: GB
time_zone: Europe/London
orders:
  id_examples: ["1001", "20455"]
  statuses: {paid unfulfilled: confirmed, paid fulfilled: shipped, refunded fulfilled: refunded, sent: shipped}
"""
# One order over two lines, as hosted shops export them; phones in three spellings; the shop's dates.
HOSTED = """Name,Email,Financial Status,Fulfillment Status,Created at,Item,Billing Phone,Shipping Name,Shipping Phone,Id
#1001,a@x.example,paid,unfulfilled,2026-11-20 09:30:00 +0000,Mug,07700 900123,Nora Quill,,5551
#1001,,,,,Plate,,,,
#1002,b@x.example,refunded,fulfilled,2026-11-21 10:00:00 +0000,Mug,,Ivo Tarn,'+44 7700 900124,5552
#1003,c@x.example,paid,fulfilled,2026-11-22 11:00:00 +0000,Mug,(0044) 7700-900125,Ada Fell,,5553
"""
BR = ("Número do pedido;Telefone;Situação;Entrega prevista;Código de rastreio\n"
      "1001;(11) 91234-5678;sent;19/12/2026;AA1\n")


@pytest.fixture(autouse=True)
def fen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fen"
    folder.mkdir()
    (folder / "shop.yml").write_text(SHOP, encoding="utf-8")
    monkeypatch.setenv("SHOP_DIR", str(folder))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SETTINGS_COMPLETE", "1")
    return folder


@pytest.fixture
def database(sql_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORDERS_DATABASE_URL", sql_url)
    return sql_url


def imported(tmp_path: Path, text: str | bytes, *options: str) -> int:
    path = tmp_path / "export.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return main(["orders", "import", str(path), *options])


def stored(url: str, query: str = "SELECT order_id, customer_phone, status FROM orders ORDER BY order_id") -> list[str]:
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        found = ["|".join(map(str, row)) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return found


@pytest.mark.every_database
def test_an_export_becomes_orders_that_are_found(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(tmp_path, HOSTED) == 0
    said = capsys.readouterr().out
    assert "order_id ← Name" in said
    assert "customer_phone ← Shipping Phone, or Billing Phone" in said
    assert "status ← Financial Status+Fulfillment Status" in said
    assert "3 new, 0 changed, 0 as they are, 0 left out." in said
    assert not sa.inspect(sa.create_engine(database)).has_table("orders"), "a dry run writes nothing"
    assert imported(tmp_path, HOSTED, "--write") == 0
    reader = RowReader("GB", "Europe/London", {"paid unfulfilled": "confirmed"})
    orders = OrderRepository(database, reader)
    (order,) = orders.open_orders("+447700900123")
    assert (order.number, order.status) == ("1001", OrderStatus.CONFIRMED)
    assert order.placed_at
    assert (order.placed_at.date().isoformat(), order.placed_at.hour) == ("2026-11-20", 9)
    orders.close()


@pytest.mark.every_database
def test_the_same_again_changes_nothing_and_a_newer_export_what_it_says(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(tmp_path, HOSTED, "--write")
    before = stored(database, "SELECT * FROM orders ORDER BY order_id")
    capsys.readouterr()
    assert imported(tmp_path, HOSTED, "--write") == 0
    assert "0 new, 0 changed, 3 as they are" in capsys.readouterr().out
    assert stored(database, "SELECT * FROM orders ORDER BY order_id") == before
    newer = HOSTED.replace("paid,unfulfilled", "paid,fulfilled").replace("#1003", "#1004")
    imported(tmp_path, newer, "--write")
    assert "1 new, 1 changed, 1 as they are" in capsys.readouterr().out
    assert stored(database) == [
        "1001|+447700900123|paid fulfilled", "1002|+447700900124|refunded fulfilled",
        "1003|+447700900125|paid fulfilled", "1004|+447700900125|paid fulfilled",
    ]  # fmt: skip


@pytest.mark.parametrize("phone_type", ["TEXT", "BIGINT"])
def test_the_columns_of_a_table_that_is_there_are_kept(database: str, tmp_path: Path, phone_type: str) -> None:
    stored_before = sa.create_engine(database, future=True)
    with stored_before.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE orders (order_id BIGINT PRIMARY KEY, customer_phone {phone_type}, "
                                   "status VARCHAR(6), estimated_delivery DATE)"))  # fmt: skip
    stored_before.dispose()
    text = "Order ID,Phone,Status,Delivery date\n20455,07700900123,sent,19 Dec 2026\n"
    assert [imported(tmp_path, text, "--write") for _ in range(2)] == [0, 0]
    plus = "+" if phone_type == "TEXT" else ""
    assert stored(database, "SELECT * FROM orders") == [f"20455|{plus}447700900123|sent|2026-12-19"]


def test_what_cannot_be_understood_is_named_by_its_line_without_a_customers_data(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("WC-77,07700900123,sent,", "1002,at home 12,sent,", ",07700900123,sent,", "1004,07700900123,lost at sea,",
             "1005,07700900123,sent,next week", "1006,07700900123,sent,19/12/2026")  # fmt: skip
    text = "\n".join(("Order no,Phone,Status,Delivery date", *lines))
    assert imported(tmp_path, text, "--write") == 1
    said = capsys.readouterr().out
    for line in ("line 2 has the order number AA-99, which is not of the shape", "line 3 has AA AAAA 99 as its phone",
                 "line 4 has no order number", "line 5 has the status 'lost at sea'", "line 6 has a date"):  # fmt: skip
        assert line in said
    assert "at home" not in said
    assert [line.partition("|")[0] for line in stored(database)] == ["1004", "1005", "1006"]


def test_semicolons_accents_and_older_encodings_are_read(
    fen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brazilian = SHOP.replace("GB", "BR").replace("Europe/London", "America/Sao_Paulo")
    (fen / "shop.yml").write_text(brazilian, encoding="utf-8")
    for number, written in enumerate((BR.encode("cp1252"), ("sep=;\n" + BR).encode("utf-16"), BR.encode("utf-8-sig"))):
        url = f"sqlite:///{tmp_path}/{number}.db"
        monkeypatch.setenv("ORDERS_DATABASE_URL", url)
        assert imported(tmp_path, written, "--write") == 0
        assert stored(url, "SELECT order_id, customer_phone, estimated_delivery, tracking_number FROM orders") == [
            "1001|+5511912345678|2026-12-19|AA1",
        ]  # fmt: skip


def test_columns_can_be_chosen(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Ref,Mobile 1,Mobile 2,Stage\n1001,,07700 900123,sent\n"
    assert imported(tmp_path, text, "--write") == 2
    assert "no column of the file is understood as order_id" in capsys.readouterr().out
    chosen = ["--column", "order_id=Ref", "--column", "customer_phone=Mobile 1,Mobile 2", "--column", "status=stage"]
    assert imported(tmp_path, text, "--write", *chosen) == 0
    assert stored(database) == ["1001|+447700900123|sent"]
    assert imported(tmp_path, text, "--column", "status=State") == 2
    assert "the file has no column 'State'" in capsys.readouterr().out


def test_sample_orders_make_way_and_come_back_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_DATABASE_URL", raising=False)
    assert demo_orders.main([]) == 0
    (folder,) = (tmp_path / "state" / "shops").iterdir()
    url = f"sqlite:///{folder}/orders.db"
    assert len(stored(url)) > 20
    assert imported(tmp_path, HOSTED, "--write") == 0
    assert len(stored(url)) == 3
    assert not sa.inspect(sa.create_engine(url)).has_table("order_items")
    assert demo_orders.main([]) == 0
    assert len(stored(url)) == 3


@pytest.mark.parametrize(("prepare", "reason"), [
    ("CREATE VIEW orders AS SELECT 1 AS order_id", "`orders` is a view"),
    ("CREATE TABLE orders (order_id TEXT, status TEXT)", "no column customer_phone"),
])
def test_a_table_that_is_not_ours_to_fill_is_refused(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], prepare: str, reason: str
) -> None:
    engine = sa.create_engine(database, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text(prepare))
    engine.dispose()
    assert imported(tmp_path, HOSTED, "--write") == 2
    assert reason in capsys.readouterr().out


def test_of_two_columns_of_one_name_the_one_that_is_filled_counts(database: str, tmp_path: Path) -> None:
    text = "Order ID,Phone,phone,Status,Status\n1001,07700 900123,,sent,\n1002,,07700 900124,,sent\n"
    assert imported(tmp_path, text, "--write") == 0
    assert stored(database) == ["1001|+447700900123|sent", "1002|+447700900124|sent"]


def test_a_title_above_the_columns_is_passed_over_and_lines_are_counted_as_the_file_has_them(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'Orders, of this month, and more\n\nOrder;Note;Phone;Status\n1001;"two\nlines";x;sent\n1002;;12;sent\n'
    assert imported(tmp_path, text) == 1
    said = capsys.readouterr().out
    assert "line 4 has A as its phone" in said
    assert "line 6 has 99 as its phone" in said


def test_an_order_that_was_cancelled_is_not_told_as_paid(database: str, tmp_path: Path) -> None:
    lines = ("#1001,paid,unfulfilled,2026-11-22 08:00:00 -0500,07700900123",
             "#1002,refunded,fulfilled,2026-11-22 08:00:00 -0500,07700900123",
             "#1003,paid,fulfilled,,07700900123")  # fmt: skip
    text = "\n".join(("Name,Financial Status,Fulfillment Status,Cancelled at,Phone", *lines))
    assert imported(tmp_path, text, "--write") == 0
    assert [line.rpartition("|")[2] for line in stored(database)] == [
        "cancelled", "refunded fulfilled", "paid fulfilled",
    ]  # fmt: skip


def test_one_number_for_two_phones_is_told_and_the_last_counts(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Order,Phone,Status\n01001,07700900123,sent\n1001,07700900124,sent\n"
    assert imported(tmp_path, text, "--write") == 1
    assert "line 3 has an order number that stood above, with another phone" in capsys.readouterr().out
    assert stored(database) == ["1001|+447700900124|sent"]


@pytest.mark.parametrize(("text", "reason"), [
    ("", "is empty"), ("just words\n", "no column"), ("a\0b,c\n", "no column"), (b"PK\x03\x04\x14\0", "is a workbook"),
    ('Order,Phone,Status\n1001,"07700900123,sent\n1002,07700900124,sent\n', "line 2: a quotation mark is opened"),
])
def test_a_file_that_is_no_export_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, reason: str
) -> None:
    assert imported(tmp_path, text) == 2
    assert reason in capsys.readouterr().out
    assert main(["orders", "import", str(tmp_path / "absent.csv")]) == 2
