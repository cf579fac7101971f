"""Who does not want to be told of their orders unasked: "stop", until they write "start".

Kept by a hash of each id of the customer, so that it outlives the erasure of everything else about them: whoever does
not want messages must not get them again because they were forgotten.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable
from typing import Literal

from sqlalchemy import delete, select

from handoff.configuration import HandoffConfiguration, normalised
from handoff.storage.database import Database
from handoff.storage.queries import insert_once
from handoff.storage.tables import update_opt_outs

MAX_CHARS = 80
Wish = Literal["stop", "start"]


class OptOuts:
    """Reads and keeps what customers want. Methods raise HandoffUnavailable."""

    def __init__(self, db: Database, configuration: HandoffConfiguration) -> None:
        self._db = db
        self._phrases = {"stop": configuration.stop_updates, "start": configuration.start_updates}

    def wish(self, words: str) -> Wish | None:
        """What a whole message wants: one of the shop's phrases and nothing else."""
        said = normalised(words) if len(words) <= MAX_CHARS else ""
        if said and said in self._phrases["stop"]:
            return "stop"
        return "start" if said and said in self._phrases["start"] else None

    async def keep(self, wish: Wish, ids: Iterable[str | None]) -> None:
        """From now on tell, or do not tell, the customer with these ids. May be repeated."""
        await asyncio.to_thread(self._keep, wish, _hashes(ids))

    async def has_stopped(self, ids: Iterable[str | None]) -> bool:
        """Whether a customer with any of these ids does not want to be told."""
        return await asyncio.to_thread(self._has_stopped, _hashes(ids))

    def _keep(self, wish: str, people: list[str]) -> None:
        with self._db.write() as connection:
            if wish == "start":
                connection.execute(delete(update_opt_outs).where(update_opt_outs.c.person.in_(people)))
                return
            for person in people:
                insert_once(connection, update_opt_outs, person=person, at=time.time())

    def _has_stopped(self, people: list[str]) -> bool:
        found = select(update_opt_outs.c.person).where(update_opt_outs.c.person.in_(people)).limit(1)
        with self._db.read() as connection:
            return connection.execute(found).first() is not None


def _hashes(ids: Iterable[str | None]) -> list[str]:
    names = {name.lstrip("+") for name in ids if name}
    return sorted(hashlib.sha256(f"no updates for {name}".encode()).hexdigest() for name in names)
