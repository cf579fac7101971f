"""What the shop's tables are made of: which columns there are, and what may be compared with them.

Databases differ in what they compare. PostgreSQL refuses text beside a number, MySQL takes '10234abc' for 10234, and
a column of a SQLite view may be of any type in each row. So values are given to a column in the types that it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

TEXT, NUMBER, ANY, OTHER = "text", "number", "any", "other"
_MYSQL_NUMBERS = frozenset({0, 1, 2, 3, 4, 5, 8, 9, 246})


@dataclass(frozen=True)
class Columns:
    """The columns of a table that we read, and the kind of each: text, number, any (SQLite), other (UUID, …)."""

    table: str
    kinds: dict[str, str]

    @classmethod
    def of(cls, connection: Connection, table: str, wanted: Collection[str]) -> Columns:
        """Those of `wanted` that `table` has. One query, which reads no row. Raises SQLAlchemyError."""
        found = connection.execute(sa.select(sa.literal_column("*")).select_from(sa.table(table)).where(sa.false()))
        described: Sequence[Any] = found.cursor.description
        kinds = {column[0].lower(): _kind(connection, column[1]) for column in described}
        return cls(table, {name: kinds[name] for name in wanted if name in kinds})

    def __contains__(self, name: str) -> bool:
        return name in self.kinds

    @property
    def selected(self) -> list[ColumnElement[Any]]:
        """The columns, without types: the values come as the database has them."""
        return [self[name] for name in self.kinds]

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        column: ColumnElement[Any] = self._clause.c[name]
        return column

    @cached_property
    def _clause(self) -> sa.sql.TableClause:
        return sa.table(self.table, *map(sa.column, self.kinds))

    def is_one_of(self, name: str, texts: Sequence[str], integers: Sequence[int]) -> ColumnElement[bool]:
        """Whether the column holds one of these, by its index wherever its type lets it."""
        values = self.comparable(name, texts, integers)
        return self._as_text(name).in_([sa.literal(value) for value in values]) if values else sa.false()

    def comparable(self, name: str, texts: Sequence[str], integers: Sequence[int]) -> list[Any]:
        """Those of these that the column can be compared with."""
        kind = self.kinds[name]
        return [*(texts if kind != NUMBER else ()), *(integers if kind in (NUMBER, ANY) else ())]

    def is_one_given(self, name: str) -> ColumnElement[bool]:
        """As `is_one_of`, of the values that the query is given under the column's name."""
        return self._as_text(name).in_(sa.bindparam(name, expanding=True))

    def holds_digits_given(self, name: str) -> ColumnElement[bool]:
        """Whether the column is like the pattern that the query is given as `digits` (`in_this_order`)."""
        return self._as_text(name).like(sa.bindparam("digits"))

    def _as_text(self, name: str) -> ColumnElement[Any]:
        return sa.cast(self[name], sa.Text) if self.kinds[name] == OTHER else self[name]


def in_this_order(digits: str) -> str:
    """The pattern of a text that holds the digits in their order, whatever stands between and around them."""
    return "%" + "%".join(digits) + "%"


def _kind(connection: Connection, type_code: Any) -> str:
    """By what the driver says of a column (PEP 249); SQLite's says nothing."""
    if connection.dialect.name == "sqlite" or type_code is None:
        return ANY
    if connection.dialect.name == "mysql":
        return NUMBER if type_code in _MYSQL_NUMBERS else TEXT
    driver: Any = connection.dialect.dbapi
    return NUMBER if type_code == driver.NUMBER else TEXT if type_code == driver.STRING else OTHER
