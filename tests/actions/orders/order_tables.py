"""A table of orders to look things up in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from actions.orders.repository import OrderRepository

ASHA, VIKRAM = "+919876543210", "+919812345670"
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


def numbers(orders: Any) -> list[str]:
    return [order.number for order in orders]
