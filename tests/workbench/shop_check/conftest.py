"""A shop's folder without a mistake, and its orders in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

SHOP = """
name: Fen & Ferry
region: GB
languages: [en]
time_zone: Europe/London
currency: GBP
orders:
  id_examples: [FF-1001, FF-20455]
  statuses: {awaiting: placed, sent off: shipped}
"""
PAGE = "# Delivery\n\n## Cost\n\nDelivery costs £3.\n\n## Time\n\nIt takes two days.\n"
COLUMNS = ("order_id", "customer_name", "customer_phone", "status", "estimated_delivery", "carrier", "tracking_number",
           "tracking_url")  # fmt: skip
Row = Sequence[Any]
GOOD: list[Row] = [
    (f"FF-{number}", "Nora Quill", "+447700900123", "awaiting", "2026-12-19", None, None, None)
    for number in range(1001, 1021)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SHOP_DIR, with nothing wrong in it; no database and no account is set."""
    shop = tmp_path / "fen"
    (shop / "policy_kb").mkdir(parents=True)
    (shop / "shop.yml").write_text(SHOP, encoding="utf-8")
    (shop / "policy_kb" / "delivery.md").write_text(PAGE, encoding="utf-8")
    (shop / "questions.tsv").write_text("what is delivery\tdelivery#Cost\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_DIR", str(shop))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SETTINGS_COMPLETE", "1")  # no .env
    for name in ("ORDERS_DATABASE_URL", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "LLM_PROVIDER", "TICKETING"):
        monkeypatch.delenv(name, raising=False)
    return shop


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes the table of these rows (default: 20 without a mistake) and names it in ORDERS_DATABASE_URL."""

    def make(rows: Sequence[Row] = GOOD, columns: Sequence[str] = COLUMNS, index: bool = True) -> str:
        path = tmp_path / "orders.db"
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE orders ({', '.join(columns)})")
            if index:
                connection.execute("CREATE INDEX by_id ON orders (order_id)")
                connection.execute("CREATE INDEX by_phone ON orders (customer_phone)")
            connection.executemany(
                f"INSERT INTO orders VALUES ({', '.join('?' * len(columns))})", [row[: len(columns)] for row in rows]
            )
        monkeypatch.setenv("ORDERS_DATABASE_URL", f"sqlite:///{path}")
        return f"sqlite:///{path}"

    return make
