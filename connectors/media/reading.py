"""What is said in a voice note or shown in a picture, as words of the message that brought it.

It is found out before the turn, not in it: the message waits at the head of its customer's queue as a burst does, for
`WITHIN_S` at most (docs/decisions/09-heard-before-the-turn.md). What was found is kept in Redis, so that a turn that
runs again reads the same words and no service is paid twice.

What could not be read stays a message without words: it is answered as if nothing here were configured.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from weakref import WeakValueDictionary

import redis.asyncio
from redis.exceptions import RedisError

from connectors import metrics
from connectors.media.abilities import Ability, NotReadable
from connectors.message_bus import keys
from connectors.message_bus.commit import WINDOW_S
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.errors import SendError
from connectors.whatsapp.graph.client import Media
from connectors.whatsapp.webhook.message_types import typed_turn
from lenient_json import as_mapping, number, objects, text
from privacy import log_lines

log = logging.getLogger(__name__)

WITHIN_S = 20.0
KEEP_S = 3600
MAX_AN_HOUR = 40  # of one customer: a service is paid by the minute
MAX_KEPT = 1000
_WORDLESS = "/send_"


class Files(Protocol):
    """Where customers' files are: the Graph client."""

    async def media(self, media_id: str, max_bytes: int) -> Media:
        """The file. Raises SendError."""
        ...


@dataclass(frozen=True)
class _File:
    id: str
    kind: str


class MediaReader:
    """The consumer's `Reader`. `abilities` are by the kind of a message: voice, audio, image."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        files: Files,
        abilities: Mapping[str, Ability],
        within_s: float = WITHIN_S,
    ) -> None:
        self._client, self._files, self._abilities, self._within_s = client, files, abilities, within_s
        self._gates = {id(ability): asyncio.Semaphore(ability.at_once) for ability in abilities.values()}
        self._own_gates: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()
        self._readings: OrderedDict[str, asyncio.Task[Entry]] = OrderedDict()  # by entry

    def read(self, entry: Entry) -> Entry | asyncio.Future[Entry]:
        """The entry with its words, or what will be it; an entry that has nothing to read is given back at once."""
        reading = self._readings.get(entry.id)
        if reading is None:
            file = self._file_of(entry)
            if file is None:
                return entry
            reading = self._readings[entry.id] = asyncio.create_task(self._entry_read(entry, file))
            self._forget_the_oldest()
        return reading.result() if reading.done() and not reading.cancelled() else reading

    async def close(self) -> None:
        """End what is being read; its messages are read again by whoever serves their customers next."""
        for reading in self._readings.values():
            reading.cancel()
        await asyncio.gather(*self._readings.values(), return_exceptions=True)
        for ability in set(self._abilities.values()):
            await ability.close()

    def _file_of(self, entry: Entry) -> _File | None:
        metadata = as_mapping(entry.payload.get("metadata"))
        files = [_File(text(part.get("id")), _kind_of(part)) for part in objects(metadata.get("media"))]
        sent_at = number(metadata.get("timestamp")) or time.time()
        if entry.kind != "message" or not files or metadata.get("heard") or time.time() - sent_at > WINDOW_S:
            return None
        return files[0] if files[0].id and files[0].kind in self._abilities else None

    def _forget_the_oldest(self) -> None:
        for entry_id in list(self._readings)[: max(0, len(self._readings) - MAX_KEPT)]:
            if self._readings[entry_id].done():
                del self._readings[entry_id]

    async def _entry_read(self, entry: Entry, file: _File) -> Entry:
        began = time.perf_counter()
        with log_lines.about(entry.id):
            outcome, words = "kept", await self._kept(entry)
            if words is None:
                outcome, words = await self._outcome(entry, file)
                words = await self._keep(entry, words)
            metrics.MEDIA.labels(file.kind, outcome).inc()
            ms = (time.perf_counter() - began) * 1000
            log.info("media.read kind=%s outcome=%s ms=%d", file.kind, outcome, ms)
        return _with_words(entry, file.kind, words) if words else entry

    async def _outcome(self, entry: Entry, file: _File) -> tuple[str, str]:
        """A word for what happened, and the words that were found."""
        try:
            return "read", await asyncio.wait_for(self._words(entry, file), self._within_s)
        except NotReadable as reason:
            return str(reason), ""
        except SendError as error:
            log.warning("media.not_fetched error=%s", error)
            return "not_fetched", ""
        except asyncio.TimeoutError:
            return "too_slow", ""
        except Exception:
            log.exception("media.reading.broken")
            return "broken", ""

    async def _words(self, entry: Entry, file: _File) -> str:
        if await self._too_many(entry.customer):
            raise NotReadable("too_many")
        ability = self._abilities[file.kind]
        # One customer's album does not stand in front of everybody else's pictures.
        own = self._own_gates.setdefault((entry.customer, id(ability)), asyncio.Semaphore(max(1, ability.at_once // 2)))
        async with own, self._gates[id(ability)]:
            return await ability.words((await self._files.media(file.id, ability.max_bytes)).data)

    async def _too_many(self, customer: str) -> bool:
        name = keys.heard_lately(customer)
        try:
            await self._client.set(name, 0, ex=3600, nx=True)
            return int(await self._client.incr(name)) > MAX_AN_HOUR
        except (RedisError, OSError, asyncio.TimeoutError):
            return False

    async def _kept(self, entry: Entry) -> str | None:
        try:
            kept = await self._client.get(keys.heard(entry.id))
        except (RedisError, OSError, asyncio.TimeoutError):
            return None
        return None if kept is None else str(kept)

    async def _keep(self, entry: Entry, words: str) -> str:
        """Keep what was found; the words that count, which another process may have found first."""
        try:
            if await self._client.set(keys.heard(entry.id), words, ex=KEEP_S, nx=True):
                return words
        except (RedisError, OSError, asyncio.TimeoutError):
            return words
        kept = await self._kept(entry)
        return words if kept is None else kept


def _kind_of(part: Mapping[str, Any]) -> str:
    """A picture or a recording that was sent as a file is one; what it really is, its bytes tell."""
    kind, family = text(part.get("kind")), text(part.get("mime_type")).partition("/")[0]
    return family if kind == "document" and family in ("image", "audio") else kind


def _with_words(entry: Entry, kind: str, words: str) -> Entry:
    """The entry as if the words had been typed, below the caption; that they were not stays on record."""
    metadata, said = as_mapping(entry.payload.get("metadata")), text(entry.payload.get("text"))
    caption = "" if said.startswith(_WORDLESS) else said
    typed = "\n".join(filter(None, (text(metadata.get("typed")), words)))
    read = typed_turn("\n".join(filter(None, (caption, words))))
    metadata = {**metadata, "typed": typed, "heard": [{"kind": kind, "text": words}]}
    return replace(entry, payload={**entry.payload, "text": read, "metadata": metadata})
