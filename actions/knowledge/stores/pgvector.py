"""The passages in PostgreSQL with the extension pgvector, in the table `assistant_passages`.

They are compared one by one, which is exact, and quick enough for the pages of a shop.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from actions.knowledge.stores.interface import Passage, StoreAway, Vectors
from settings_values import database_url
from sql_servers import postgres_timeouts

CONNECT_S, STATEMENT_S = 2.0, 5.0
_TABLE = """CREATE TABLE IF NOT EXISTS assistant_passages (shop text, embedder text, key text, section text NOT NULL,
 text text NOT NULL, vector vector NOT NULL, PRIMARY KEY (shop, embedder, key))"""
_PUT = sa.text("""INSERT INTO assistant_passages
 VALUES (:shop, :embedder, :key, :section, :text, CAST(:vector AS vector))
 ON CONFLICT (shop, embedder, key) DO UPDATE SET section = excluded.section, text = excluded.text,
 vector = excluded.vector""")
_KNOWN = sa.text("""SELECT key, CAST(vector AS real[]) FROM assistant_passages
 WHERE shop = :shop AND embedder = :embedder AND key = ANY(:keys)""")
_FORGET = sa.text("""DELETE FROM assistant_passages
 WHERE shop = :shop AND embedder = :embedder AND NOT key = ANY(:keys)""")
_NEAREST = sa.text("""SELECT section FROM assistant_passages
 WHERE shop = :shop AND embedder = :embedder AND section <> ''
 GROUP BY section ORDER BY min(vector <#> CAST(:vector AS vector)), section LIMIT :count""")


class PgVectorStore:
    """A PassageStore."""

    def __init__(self, url: str, shop: str, embedder: str) -> None:
        self._engine = sa.create_engine(
            database_url(url), future=True, pool_pre_ping=True, hide_parameters=True,
            connect_args=postgres_timeouts.connect_args(CONNECT_S, STATEMENT_S),
        )  # fmt: skip
        self._whose = {"shop": shop, "embedder": embedder}
        self._made = False

    def known(self, keys: Collection[bytes]) -> dict[bytes, Vectors]:
        """Those of the vectors that are there, by key."""
        with self._transaction() as connection:
            rows = connection.execute(_KNOWN, {**self._whose, "keys": [key.hex() for key in keys]}).all()
        return {bytes.fromhex(key): np.array(vector, np.float32) for key, vector in rows}

    def put(self, passages: Sequence[Passage]) -> None:
        """Keep these."""
        rows = [
            {**self._whose, "key": one.key.hex(), "section": one.section, "text": one.text,
             "vector": _written(one.vector)}
            for one in {one.key: one for one in passages}.values()
        ]  # fmt: skip
        if rows:
            with self._transaction() as connection:
                connection.execute(_PUT, rows)

    def forget_others(self, keys: Collection[bytes]) -> int:
        """Delete all but these; how many."""
        with self._transaction() as connection:
            gone = connection.execute(_FORGET, {**self._whose, "keys": [key.hex() for key in keys]})
        return int(gone.rowcount)

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The sections of the nearest passages."""
        with self._transaction() as connection:
            asked = {**self._whose, "vector": _written(vector), "count": count}
            return list(connection.execute(_NEAREST, asked).scalars())

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            self._make()
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreAway(type(cause).__name__) from None  # its words may hold a row

    def _make(self) -> None:
        """The extension and the table, where they are not there: processes that begin together wait for one another."""
        if self._made:
            return
        with self._engine.begin() as connection:
            if not connection.execute(sa.text("SELECT to_regclass('assistant_passages')")).scalar():
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('assistant_passages'))"))
                connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS vector"))
                connection.execute(sa.text(_TABLE))
        self._made = True


def _written(vector: Vectors) -> str:
    return "[" + ",".join(f"{number:.7g}" for number in vector) + "]"
