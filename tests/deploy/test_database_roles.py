"""The database roles of `deploy/postgresql/`, on a real PostgreSQL: each can do its work, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from actions.orders.repository import OrderRepository
from conversation_log.erasure import erase_sql
from conversation_log.model.identities import Identities
from conversation_log.storage import database
from conversation_log.storage.tables import conversations
from handoff.storage.database import Database, HandoffUnavailable
from handoff.takeover.state_machine import open_takeover
from tests.conversation_log.crowd import plant
from tests.handoff.samples import request

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "postgresql"
ROLES = ("assistant_owner", "assistant_app", "assistant_reader", "assistant_orders")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.timezone.utc)

pytestmark = pytest.mark.postgres


@pytest.fixture
def admin(postgres_url: str) -> Iterator[Engine]:
    """The administrator's connection; the roles are gone afterwards."""
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", future=True)
    yield engine
    with engine.connect() as connection:
        for role in ROLES:
            known = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
            if known:
                connection.exec_driver_sql(f"DROP OWNED BY {role} CASCADE")
                connection.exec_driver_sql(f"DROP ROLE {role}")
        connection.exec_driver_sql(f"GRANT CONNECT, TEMPORARY ON DATABASE {engine.url.database} TO PUBLIC")
    engine.dispose()


def run(admin: Engine, file: str) -> None:
    with admin.connect() as connection:
        connection.exec_driver_sql((FOLDER / file).read_text().replace("%", "%%"))


def url_of(admin: Engine, role: str) -> str:
    return str(admin.url.set(username=role))


def refused(engine: Engine, *statements: str) -> None:
    with pytest.raises(SQLAlchemyError) as raised, engine.begin() as connection:  # noqa: PT012 (one transaction)
        for statement in statements:
            connection.exec_driver_sql(statement)
    assert type(raised.value.orig).__name__ in ("InsufficientPrivilege", "ReadOnlySqlTransaction"), raised.value


@pytest.fixture
def app(admin: Engine) -> Iterator[Engine]:
    """The assistant's own role, once the owner has migrated; the file is run before there are tables, and again."""
    run(admin, "roles.sql")
    owner = database.connect(url_of(admin, "assistant_owner"))
    database.migrate(owner)
    tickets = Database(url_of(admin, "assistant_owner"))
    tickets.prepare()
    run(admin, "roles.sql")
    engine = database.connect(url_of(admin, "assistant_app"))
    yield engine
    for used in (engine, owner):
        used.dispose()
    tickets.close()


def test_the_assistants_role_logs_hands_over_and_erases(admin: Engine, app: Engine) -> None:
    database.migrate(app)  # nothing to do, as at each start
    database.require_current(app)
    plant(app, 5, NOON, days=1)
    tickets = Database(url_of(admin, "assistant_app"))
    assert open_takeover(tickets, request("919", "wamid.1")).outcome == "opened"
    tickets.close()
    with app.connect() as connection:
        customer = connection.execute(sa.select(conversations.c.customer_id)).scalars().first()
    removed, _ = erase_sql.erase(app, Identities(frozenset({customer}), frozenset({customer})), set())
    assert removed["conversations"] == 1


def test_the_assistants_role_can_do_nothing_else(app: Engine) -> None:
    for statement in (
        "DROP TABLE messages", "ALTER TABLE messages ADD COLUMN x int", "CREATE TABLE x (y int)", "TRUNCATE messages",
        "CREATE TEMPORARY TABLE x (y int)", "CREATE ROLE x", "SET ROLE assistant_owner",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "COPY messages TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')",
    ):  # fmt: skip
        refused(app, statement)


def test_the_next_release_needs_the_owner_to_migrate(admin: Engine, app: Engine) -> None:
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP TABLE charges")
        connection.exec_driver_sql(f"UPDATE {database.VERSION_TABLE} SET version_num = '0002'")
    with pytest.raises(database.LogUnavailable):
        database.migrate(app)
    owner = database.connect(url_of(admin, "assistant_owner"))
    database.migrate(owner)
    owner.dispose()
    with app.begin() as connection:
        connection.exec_driver_sql("DELETE FROM charges")  # a table that came later is the assistant's to write, too


def test_the_reader_reads_and_writes_nothing(admin: Engine, app: Engine) -> None:
    plant(app, 2, NOON, days=1)
    reader = database.connect(url_of(admin, "assistant_reader"))
    with reader.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(conversations)).scalar() == 2
    for statement in ("DELETE FROM messages", "UPDATE messages SET intent = ''", "CREATE TABLE x (y int)"):
        refused(reader, statement)
    with pytest.raises(HandoffUnavailable):
        open_takeover(Database(url_of(admin, "assistant_reader")), request("919", "wamid.1"))
    reader.dispose()


def test_who_reads_the_orders_sees_them_and_nothing_else(admin: Engine) -> None:
    with admin.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE orders (order_id text, customer_phone text, status text); CREATE TABLE cards (number text);"
            "INSERT INTO orders VALUES ('10234', '+919876543210', 'shipped')"
        )
    run(admin, "orders_reader.sql")
    url = url_of(admin, "assistant_orders")
    repository = OrderRepository(url)
    assert list(repository.find(["10234"], "+919876543210")) == ["10234"]
    repository.close()
    orders = sa.create_engine(url, future=True)
    refused(orders, "SELECT * FROM cards")
    for statement in ("UPDATE orders SET status = 'delivered'", "DELETE FROM orders", "CREATE TABLE x (y int)"):
        refused(orders, statement)
        refused(orders, "SET TRANSACTION READ WRITE", statement)
    orders.dispose()


def accounts(url: str) -> Iterator[str]:
    """The statements of accounts.sql, for the database of this test."""
    written = (FOLDER.parent / "mariadb" / "accounts.sql").read_text()
    said = "\n".join(line for line in written.splitlines() if not line.startswith("--"))
    name = sa.engine.make_url(url).database
    for statement in said.replace("assistant.*", f"{name}.*").replace("shop.orders", f"{name}.orders").split(";"):
        if statement.strip():
            yield statement


def test_accounts_of_mariadb_do_their_work_and_nothing_else(mariadb_url: str) -> None:
    admin = sa.create_engine(mariadb_url, isolation_level="AUTOCOMMIT", future=True)
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (order_id varchar(40), customer_phone varchar(40))")
        for _ in range(2):
            for statement in accounts(mariadb_url):
                connection.exec_driver_sql(statement)
    with pytest.raises(SQLAlchemyError, match=r"locked|denied"):
        database.connect(str(admin.url.set(username="assistant_app"))).connect()
    with admin.connect() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"ALTER USER {role} IDENTIFIED BY 'w0rd' ACCOUNT UNLOCK")
    urls = [admin.url.set(username=role, password="w0rd").render_as_string(hide_password=False) for role in ROLES]
    owner, app, reader, orders = map(database.connect, urls)
    database.migrate(owner)
    Database(urls[0]).prepare()

    database.migrate(app)
    plant(app, 2, NOON, days=1)
    tickets = Database(urls[1])
    assert open_takeover(tickets, request("919", "wamid.1")).outcome == "opened"
    tickets.close()
    with reader.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(conversations)).scalar() == 2
    with orders.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 0
    table = "CREATE TABLE x (y int)"
    for account, statements in (
        (app, ("DROP TABLE messages", "ALTER TABLE messages ADD x int", table, "TRUNCATE messages", "CREATE USER x")),
        (reader, ("DELETE FROM messages", table)), (orders, ("DELETE FROM orders", "SELECT * FROM messages", table)),
    ):  # fmt: skip
        for statement in statements:
            with pytest.raises(SQLAlchemyError, match="denied"), account.begin() as connection:
                connection.exec_driver_sql(statement)
    for used in (owner, app, reader, orders):
        used.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP USER {', '.join(ROLES)}")
    admin.dispose()
