"""The two databases: reached, our rights, migrations. Of the orders `make check` says more, down to the rows."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from conversation_log.storage import database, remedies
from conversation_log.storage import tables as log_tables
from handoff.storage import schema
from handoff.storage import tables as handoff_tables
from settings import Settings
from sql_servers import engines
from workbench.shop_check.database import database_findings
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

NAME = "CONVERSATION_DATABASE_URL"
STATEMENT_S = 10.0
_MIGRATE = "python -m conversation_log migrate; the assistant does it at its start"


def conversation_findings(configured: Settings) -> Iterator[ShopFinding]:
    """The database of takeovers and the log. Nothing is created or changed."""
    url = str(configured.conversation_database_url)
    try:
        engine = database.connect(url, STATEMENT_S)
    except database.LogUnavailable as error:
        yield ShopFinding(ERROR, "conversations", NAME, *_halves(str(error)))
        return
    try:
        file = engines.sqlite_file(engine.url)
        if file and not file.exists():
            yield ShopFinding(WARNING, "conversations", NAME, "there is no such file yet", _MIGRATE)
            return
        with engine.connect() as connection:
            yield from _tables(connection)
        yield from _rights(engine)
    except SQLAlchemyError as error:
        yield ShopFinding(ERROR, "conversations", NAME, *_halves(remedies.of_database(error, engine.url)))
    finally:
        engine.dispose()


def _tables(connection: Connection) -> Iterator[ShopFinding]:
    """Whether both sets of tables are of this release; a newer release's serve, too."""
    applied, ours = schema.applied_revision(connection), schema.REVISIONS
    if applied is None or (applied in ours and applied != ours[-1]):
        yield ShopFinding(WARNING, "conversations", "takeovers", "the tables are not of this release", _MIGRATE)
    else:
        yield ShopFinding(INFORMATION, "conversations", "takeovers", f"the tables are current (migration {applied})")
    try:
        database.require_current(connection.engine)
    except database.LogUnavailable:
        yield ShopFinding(WARNING, "conversations", "log", "the tables are not of this release", _MIGRATE)
    else:
        yield ShopFinding(INFORMATION, "conversations", "log", "the tables are current")


def _rights(engine: Engine) -> Iterator[ShopFinding]:
    """Statements that change no row ask for the right to, and are rolled back; on PostgreSQL also that to migrate."""
    there = set(sa.inspect(engine).get_table_names())
    for table in (*handoff_tables.metadata.sorted_tables, *log_tables.metadata.sorted_tables):
        if table.name not in there:
            continue
        try:
            with engine.connect() as connection:
                column = next(iter(table.columns))
                connection.execute(sa.update(table).where(sa.false()).values({column.name: column}))
                connection.execute(sa.delete(table).where(sa.false()))
                connection.rollback()
        except SQLAlchemyError as error:
            yield ShopFinding(ERROR, "conversations", table.name, *_halves(remedies.of_database(error, engine.url)))
            return
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            if not connection.execute(sa.text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar():
                yield ShopFinding(WARNING, "conversations", NAME, "its role may not create tables: the next "
                                  "release cannot migrate", "migrate as the tables' owner before it is started "
                                  "(deploy/postgresql/roles.sql), or GRANT CREATE ON SCHEMA to it")  # fmt: skip
    yield ShopFinding(INFORMATION, "conversations", NAME, "its rows can be written")


def order_findings(configured: Settings) -> Iterator[ShopFinding]:
    """As `make check` finds them, without reading the rows."""
    found = [one for one in database_findings(configured, None) if one.level != INFORMATION]
    yield from found
    if not found:
        yield ShopFinding(INFORMATION, "orders", "ORDERS_DATABASE_URL", "they can be read (make check: the rows)")


def _halves(message: str) -> tuple[str, str]:
    problem, _, remedy = message.partition(". ")
    return problem, remedy or "correct CONVERSATION_DATABASE_URL"
