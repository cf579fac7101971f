"""The orders database as the product meets it: reached, the table's columns, our rights, whether look-ups scan.

Only errors' kinds are told in words of ours: drivers quote addresses, users and sometimes rows.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from actions.orders.columns import Columns
from actions.orders.database import read_only_engine, reading
from actions.orders.phones import as_integers, written_forms
from actions.orders.repository import ITEM_COLUMNS, NEEDED, ORDER_COLUMNS, SMALL_TABLE_ROWS, index_finds_all
from settings import PROJECT_ROOT, Settings
from settings_values import database_url
from shop import Shop
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding
from workbench.shop_check.rows import count_rows, row_findings

TIMEOUT_S = 30.0
TABLE = "orders"
SEEDED = "demo_seed"  # stands beside the orders that `make run` makes up
OPTIONAL = {
    "estimated_delivery": "customers are given no day", "carrier": "customers are not told who brings it",
    "tracking_number": "customers get no tracking number", "tracking_url": "customers get no tracking link",
}  # fmt: skip
_REMEDY_TABLE = "a table or view orders(order_id, customer_phone, status, ...), as the README has it"
_WRITES = ("INSERT", "UPDATE", "DELETE")
_NO_RIGHT, _NO_TABLE, _NO_DATABASE, _NO_LOGIN, _SLOW = "no right", "no table", "no database", "no login", "slow"
_CODES = {
    "42501": _NO_RIGHT, "42P01": _NO_TABLE, "3D000": _NO_DATABASE, "28P01": _NO_LOGIN, "28000": _NO_LOGIN,
    1142: _NO_RIGHT, 1143: _NO_RIGHT, 1044: _NO_RIGHT, 1146: _NO_TABLE, 1356: _NO_RIGHT, 1049: _NO_DATABASE,
    1045: _NO_LOGIN, "57014": _SLOW, 1969: _SLOW, 3024: _SLOW,
}  # fmt: skip
_SAID = {
    "no such table": _NO_TABLE, "authentication failed": _NO_LOGIN, "no password supplied": _NO_LOGIN,
    "does not exist": _NO_DATABASE, "permission denied": _NO_RIGHT, "interrupted": _SLOW,
}  # fmt: skip
_MEANING = {
    _NO_RIGHT: ("our role has no right to read it", "GRANT SELECT on it to the role of ORDERS_DATABASE_URL"),
    _NO_TABLE: ("there is no table or view `orders`", _REMEDY_TABLE),
    _NO_DATABASE: ("the server has no such database or role", "correct the name at the end of ORDERS_DATABASE_URL"),
    _SLOW: (f"it took longer than {TIMEOUT_S:.0f} seconds to answer",
            "indexes on order_id and customer_phone; try again when it has less to do"),
    _NO_LOGIN: ("the server refuses the user or the password", "correct both in ORDERS_DATABASE_URL"),
}


def database_findings(configured: Settings, ours: Shop | None) -> list[ShopFinding]:
    """Everything that is wrong with the orders database; rows are read only where shop.yml can be used."""
    url = configured.values["ORDERS_DATABASE_URL"] or ""
    try:
        where = _shown(url)
        engine = read_only_engine(url, TIMEOUT_S)
    except (SQLAlchemyError, ValueError, ImportError):
        return [ShopFinding(ERROR, "orders", "ORDERS_DATABASE_URL", "it is no URL of a database that can be read",
                            "postgresql://user:password@host:5432/name, mysql://... or sqlite:////path")]  # fmt: skip
    missing = _missing_file(url)
    if missing and "ORDERS_DATABASE_URL" not in configured.chosen:
        return [ShopFinding(WARNING, "orders", "ORDERS_DATABASE_URL", "it is not set, so there are no orders yet",
                            "set it to the database that has the orders; it is only read")]  # fmt: skip
    try:
        if configured.shop_path != PROJECT_ROOT and _has_table(engine, SEEDED):
            return [ShopFinding(WARNING, "orders", "ORDERS_DATABASE_URL", "these are the sample orders of `make run`",
                                "set it to the database that has the orders; it is only read")]  # fmt: skip
        return _examined(engine, where, ours)
    except SQLAlchemyError as error:
        problem, remedy = _MEANING.get(_kind(error) or "", _unreachable(error, missing))
        return [ShopFinding(ERROR, "orders", where, problem, remedy)]
    finally:
        engine.dispose()


def _has_table(engine: Engine, name: str) -> bool:
    with reading(engine, TIMEOUT_S) as connection:
        return bool(sa.inspect(connection).has_table(name))


def _examined(engine: Engine, where: str, ours: Shop | None) -> list[ShopFinding]:
    with reading(engine, TIMEOUT_S) as connection:
        orders = Columns.of(connection, TABLE, ORDER_COLUMNS)
        found = list(_columns(orders, where))
    if any(one.level == ERROR for one in found):
        return found
    with reading(engine, TIMEOUT_S) as connection:
        rows = count_rows(connection, orders)
    indexed = False
    if rows:
        scans = _scans(engine, orders)
        indexed = "order_id" not in scans
        found += [*_phone_scan(engine, orders, rows)] if "customer_phone" not in scans else []
        found += [ShopFinding(
            WARNING, "orders", f"{TABLE}.{name}",
            "a look-up has to read the whole table: there is no index that serves it",
            f"an index on {name} of the table (behind a view: on the columns that it is made of)", rows,
        ) for name in scans]  # fmt: skip
    found += [*_writes(engine), *_items(engine)]
    if ours is None:
        return [*found, ShopFinding(INFORMATION, "orders", where, "the rows wait until shop.yml can be used")]
    with reading(engine, TIMEOUT_S) as connection:
        return [*found, *row_findings(connection, orders, ours, rows, newest_first=indexed)]


def _columns(orders: Columns, where: str) -> Iterator[ShopFinding]:
    for name in NEEDED:
        if name not in orders:
            yield ShopFinding(ERROR, "orders", f"{TABLE}.{name}", f"the table has no column {name} ({where})",
                              "a view `orders` that has it under this name")  # fmt: skip
    for name, consequence in OPTIONAL.items():
        if name not in orders:
            yield ShopFinding(WARNING, "orders", f"{TABLE}.{name}", f"the table has no column {name}: {consequence}",
                              "a view `orders` that has it under this name")  # fmt: skip


def _items(engine: Engine) -> Iterator[ShopFinding]:
    """The optional table `order_items`: there, it must be readable."""
    try:
        with reading(engine, TIMEOUT_S) as connection:
            items = Columns.of(connection, "order_items", ITEM_COLUMNS)
    except SQLAlchemyError as error:
        if _kind(error) == _NO_RIGHT and engine.dialect.name != "mysql":  # which says so of what is not there, too
            yield ShopFinding(WARNING, "orders", "order_items", *_MEANING[_NO_RIGHT])
        return
    missing = [name for name in ("order_id", "item_id") if name not in items]
    if missing:
        yield ShopFinding(WARNING, "orders", "order_items", f"it has no {' and no '.join(missing)}, so it is not read",
                          "order_items(order_id, item_id, title, quantity, price, currency, returnable)")  # fmt: skip


def _writes(engine: Engine) -> Iterator[ShopFinding]:
    """Rights to write that nobody needs. SQLite is opened for reading only and knows no rights."""
    try:
        with reading(engine, TIMEOUT_S) as connection:
            possible = _may_write(connection)
    except SQLAlchemyError:
        return
    if possible:
        yield ShopFinding(WARNING, "orders", TABLE, f"our role may write to it ({', '.join(possible)}), though "
                          "it is only ever read", "a role of its own with no right but SELECT")  # fmt: skip


def _may_write(connection: Connection) -> list[str]:
    if connection.dialect.name == "postgresql":
        asked = ", ".join(f"has_table_privilege('{TABLE}', '{right}')" for right in _WRITES)
        may = connection.exec_driver_sql(f"SELECT {asked}").one()
        return [right for right, has in zip(_WRITES, may, strict=True) if has]
    if connection.dialect.name != "mysql":
        return []
    grants = [str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")]
    ours = str(connection.engine.url.database or "")
    places = ("*.*", f"`{ours}`.*", f"`{ours}`.`{TABLE}`")
    given = [match[1] for grant in grants
             if (match := re.match(r"GRANT (.+?) ON (\S+) TO", grant)) and match[2].replace("\\", "") in places]
    rights = {right.strip() for rights in given for right in rights.split(",")}
    return [right for right in _WRITES if right in rights or "ALL PRIVILEGES" in rights]


def _scans(engine: Engine, orders: Columns) -> list[str]:
    """Those of the two columns that orders are found by for which the database would read every row."""
    phone = "+14155550112"
    asked = {
        "order_id": orders.is_one_of("order_id", ["10234"], [10234]),
        "customer_phone": orders.is_one_of("customer_phone", written_forms(phone), as_integers(phone)),
    }
    scans = []
    for name, condition in asked.items():
        query = sa.select(*orders.selected).where(condition)
        try:
            with reading(engine, TIMEOUT_S) as connection:
                if _reads_every_row(connection, query):
                    scans.append(name)
        except SQLAlchemyError:
            continue
    return scans


def _phone_scan(engine: Engine, orders: Columns, rows: int) -> Iterator[ShopFinding]:
    """Whether customers wait for a scan beside the index, for phones written in ways that no index finds."""
    with reading(engine, TIMEOUT_S) as connection:
        if rows > SMALL_TABLE_ROWS and not index_finds_all(connection, orders):
            yield ShopFinding(
                WARNING, "orders", f"{TABLE}.customer_phone", "phones are written in several ways, so a look-up also "
                "reads the whole table, for a second and a half at most",
                "phones like +14155550112 in all rows (behind a view: in an indexed column)", rows,
            )  # fmt: skip


def _reads_every_row(connection: Connection, query: Any) -> bool:
    plain = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {plain}").mappings().all()
        return any(str(step["detail"]).startswith("SCAN") for step in plan)
    if connection.dialect.name == "postgresql":
        # A small table is read whole even where there is an index; this asks what a big one would be.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return any("Seq Scan" in str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {plain}"))
    steps: Sequence[Any] = connection.exec_driver_sql(f"EXPLAIN {plain}").mappings().all()
    return any(step["type"] == "ALL" and not step["possible_keys"] for step in steps)


def _missing_file(url: str) -> bool:
    parsed = make_url(database_url(url))
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").expanduser().is_file()


def _shown(url: str) -> str:
    """The address without password and options, which may hold another."""
    return make_url(database_url(url)).set(query={}).render_as_string(hide_password=True)


def _kind(error: SQLAlchemyError) -> str | None:
    original = getattr(error, "orig", None)
    code = getattr(original, "pgcode", None) or next(iter(getattr(original, "args", ())), None)
    by_words = next((kind for words, kind in _SAID.items() if words in str(original)), None)
    return _CODES.get(code) or by_words if isinstance(code, str | int) else by_words


def _unreachable(error: SQLAlchemyError, missing: bool) -> tuple[str, str]:
    if missing:
        return "there is no such file", "correct the path in ORDERS_DATABASE_URL (sqlite:/// and an absolute path)"
    name = type(getattr(error, "orig", None) or error).__name__
    return (f"it cannot be reached or read ({name})",
            "see that the server runs, that its address in ORDERS_DATABASE_URL is right and no firewall is between")
