"""Checked rows into the table `orders`: new ones in, changed ones changed; the same again changes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from actions.orders.database import CONNECT_TIMEOUT_S
from actions.orders.numbers import normal_number
from launch.demo_orders import ITEMS, ORDERS, SEEDED
from settings_values import database_url
from sql_servers import mysql_sessions
from workbench.order_import.exported import ImportRefusedError

_CREATED = sa.Table(
    "orders", sa.MetaData(),
    sa.Column("order_id", sa.String(40), primary_key=True), sa.Column("customer_name", sa.String(200)),
    sa.Column("customer_phone", sa.String(40), index=True), sa.Column("status", sa.String(60)),
    sa.Column("estimated_delivery", sa.Date), sa.Column("carrier", sa.String(100)),
    sa.Column("tracking_number", sa.String(100)), sa.Column("tracking_url", sa.String(500)),
    sa.Column("placed_at", sa.String(40)),
)  # fmt: skip
_AT_ONCE = 500
STATEMENT_S = 60.0
Values = Mapping[str, "str | None"]


@dataclass(frozen=True)
class Outcome:
    """How many orders were new, changed and the same; `samples` whether sample orders made way for them."""

    new: int
    changed: int
    same: int
    samples: bool = False


def upsert(url: str, rows: Mapping[str, Values], write: bool) -> Outcome:
    """Bring `rows` (by order number) into the table behind `url`, or only count. Raises ImportRefusedError."""
    try:
        with _connection(url) as connection:
            samples, table = _prepared(connection, write)
            there = {} if table is None or (samples and not write) else _there(connection, table, rows)
            new = [row for number, row in rows.items() if number not in there]
            changed = [(there[number], change) for number, row in rows.items()
                       if table is not None and number in there and (change := _change(table, there[number], row))]
            if write and table is not None:
                for start in range(0, len(new), _AT_ONCE):
                    connection.execute(table.insert(), [_typed(table, row) for row in new[start : start + _AT_ONCE]])
                for before, change in changed:
                    here = table.c.order_id == before["order_id"]
                    connection.execute(table.update().where(here).values(**_typed(table, change)))
                connection.commit()
    except SQLAlchemyError as error:
        raise ImportRefusedError(f"the orders database cannot be used for this ({type(error).__name__}: "
                                 f"{type(getattr(error, 'orig', error)).__name__}). Remedy: ORDERS_DATABASE_URL with a "
                                 "role that may write, for this command only.") from None  # fmt: skip
    return Outcome(len(new), len(changed), len(rows) - len(new) - len(changed), samples)


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    parsed = make_url(database_url(url))
    options: dict[str, Any] = {"future": True, "hide_parameters": True}
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").expanduser().parent.mkdir(parents=True, exist_ok=True)
    else:
        options["connect_args"] = {"connect_timeout": CONNECT_TIMEOUT_S}
    engine = sa.create_engine(parsed, **options)
    if engine.dialect.name == "mysql":
        mysql_sessions.prepare(engine, STATEMENT_S, STATEMENT_S)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _prepared(connection: Connection, write: bool) -> tuple[bool, sa.Table | None]:
    """Whether sample orders are there, and the table; None where there is none yet and nothing may be written."""
    inspector = sa.inspect(connection)
    if "orders" in inspector.get_view_names():
        raise ImportRefusedError("`orders` is a view. Remedy: import into a database of its own.")
    samples = inspector.has_table(SEEDED.name)
    if write and samples:
        for table in (ORDERS, ITEMS, SEEDED):
            table.drop(connection, checkfirst=True)
        inspector = sa.inspect(connection)
    if not inspector.has_table("orders"):
        if not write:
            return samples, None
        _CREATED.create(connection)
    table = sa.Table("orders", sa.MetaData(), autoload_with=connection)
    missing = [name for name in ("order_id", "customer_phone", "status") if name not in table.c]
    if missing:
        raise ImportRefusedError(f"the table `orders` has no column {', '.join(missing)}.")
    return samples, table


def _there(connection: Connection, table: sa.Table, rows: Mapping[str, Values]) -> dict[str, Mapping[str, Any]]:
    """The orders of `rows` that are in the table, by their number."""
    names = [column for column in table.c if column.name in _CREATED.c]
    numbers, found = list(rows), dict[str, Mapping[str, Any]]()
    for start in range(0, len(numbers), _AT_ONCE):
        wanted = [_cell(table.c.order_id, number) for number in numbers[start : start + _AT_ONCE]]
        for row in connection.execute(sa.select(*names).where(table.c.order_id.in_(wanted))).mappings():
            found[normal_number(row["order_id"])] = row
    return found


def _change(table: sa.Table, before: Mapping[str, Any], row: Values) -> dict[str, str | None]:
    """What of a row the table has otherwise; an export without a value takes none away."""
    said = {name: value for name, value in row.items() if name != "order_id" and name in before and value is not None}
    return {name: value for name, value in said.items() if _cell(table.c[name], value) != before[name]}


def _typed(table: sa.Table, row: Values) -> dict[str, Any]:
    return {name: _cell(table.c[name], value) for name, value in row.items() if name in table.c}


def _cell(column: sa.Column[Any], value: str | None) -> Any:
    """The value in the column's type: numbers and dates are text in an export."""
    if value is None:
        return None
    if isinstance(column.type, (sa.Integer, sa.Numeric)):
        digits = value.lstrip("+")
        return int(digits) if digits.isdigit() else None
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value[:10])
    length = getattr(column.type, "length", None)
    return value[:length] if length else value
