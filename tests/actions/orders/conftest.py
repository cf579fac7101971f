"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.orders.repository import OrderRepository
from tests.actions.orders.order_tables import Fill, fill_table


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
