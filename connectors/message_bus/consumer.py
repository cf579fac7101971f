"""Takes inbox entries in the order of their customers and turns each into one committed turn.

A turn that raises is tried again, then set aside as a dead letter with an apology; a turn that ends without words
gets the apology at once. Only what the commit made visible has happened: until then a turn can run again unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

import redis.asyncio
from redis.exceptions import RedisError

from connectors import metrics
from connectors.conversations.thread_control import Floor
from connectors.message_bus import keys, quoting
from connectors.message_bus.commit import WINDOW_S, Commits
from connectors.message_bus.inbox import Entry
from connectors.message_bus.keyed_executor import Again, Item, leave_slot
from connectors.message_bus.partitions import Owned
from connectors.message_bus.turn import Reply, Turn, current_turn
from connectors.whatsapp.rendering import bodies
from handoff.storage.database import HandoffUnavailable
from handoff.takeover.customer_messages import Wish
from handoff.takeover.thread_control import Receipt

log = logging.getLogger(__name__)

TURN_TIMEOUT_S = 40.0
MAX_FAILURES = 3
MAX_CRASHES = 5
OUTSIDE_PATIENCE_S = 20.0
APOLOGY = "utter_fallback_apology"
ENDED = "utter_handoff_ended"
ESCALATION, NOBODY_CALLED = "action_escalate", "utter_handoff_unavailable"
RETURNED_WITH = {
    "customer": "utter_handoff_cancelled_by_customer",
    "settled": "utter_handoff_settled",
    "unreachable": NOBODY_CALLED,
}
RECEIPT, RECEIPT_OUT_OF_HOURS = "utter_handoff_receipt", "utter_handoff_receipt_out_of_hours"


class OutsideUnavailable(RuntimeError):
    """Something that a turn needs is away for now, as while it restarts: the action server, the model."""


class Speaker(Protocol):
    """The dialogue engine, as the consumer sees it."""

    async def answer(self, turn: Turn) -> None:
        """Run one turn of the dialogue; replies and events land in `turn`."""
        ...

    async def say(self, turn: Turn, response: str, **facts: Any) -> None:
        """Add the domain's response of this name to the turn's replies, its placeholders filled with the facts."""
        ...

    async def wish(self, turn: Turn) -> Wish | None:
        """What a customer who waits for a person wants of the assistant. Never raises."""
        ...

    async def restart(self, turn: Turn) -> None:
        """Let the dialogue begin afresh with the next message."""
        ...

    def seen(self, turn: Turn) -> None:
        """Show the customer that the message was read and is being answered; never waits."""
        ...


class Consumer:
    """`work` answers one entry; what runs when is decided by the lanes."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        speaker: Speaker,
        floor: Floor,
        commits: Commits,
        turn_timeout_s: float = TURN_TIMEOUT_S,
        retry_s: float = 0.5,
    ) -> None:
        self._speaker, self._floor, self._commits = speaker, floor, commits
        self._turn_timeout_s, self._retry_s = turn_timeout_s, retry_s
        self._client = client
        self._begin, self._end = keys.Script(client, "begin"), keys.Script(client, "end")
        self._fail = keys.Script(client, "fail")
        self._outside_away_since: dict[tuple[Owned, str], float] = {}
        # On record as begun, or perhaps so: Redis failed while they were worked on.
        self._not_ended: set[tuple[Owned, str]] = set()

    async def work(self, item: Item) -> Again | None:
        """Answer one entry and commit it; Again when it has to wait for something."""
        try:
            again = await self._work(item)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("consumer.redis.failed error=%s", type(error).__name__)
            self._not_ended.add(item.place)
            return Again(self._retry_s)
        self._not_ended.discard(item.place)
        if again is None:
            self._outside_away_since.pop(item.place, None)
        return again

    async def _work(self, item: Item) -> Again | None:
        # Inside the slot: what is begun is on record, and a crash must not count against what only waited.
        partition = item.owned.partition
        names = [keys.owner(partition), keys.inbox_stream(partition), keys.runs(partition), keys.failures(partition)]
        state, crashes, _ = await self._begin(names, _token(item))
        if state != "mine":
            return None
        turn = _turn(item)
        if int(crashes) >= MAX_CRASHES:
            await self._set_aside(item, turn, "ended the process each time")
            return None
        return await self._attempt(item, turn)

    async def forget(self, owned: Owned) -> None:
        """The partition is another's: what was begun here and did not end must not count as crashed there."""
        for place in [place for place in self._outside_away_since if place[0] == owned]:
            del self._outside_away_since[place]
        for place in [place for place in self._not_ended if place[0] == owned]:
            self._not_ended.discard(place)
            await self._ended(*place)

    async def _ended(self, owned: Owned, stream_id: str) -> None:
        """A run ended without a commit; best effort, a missing note counts as one crash of five."""
        try:
            await self._end([keys.runs(owned.partition)], [owned.token, stream_id])
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            log.warning("consumer.end.not_noted error=%s", type(error).__name__)

    async def _attempt(self, item: Item, turn: Turn) -> Again | None:
        current_turn.set(turn)
        began = time.perf_counter()
        try:
            await asyncio.wait_for(self._handle(turn), self._turn_timeout_s)
        except (RedisError, ConnectionError):
            raise
        except HandoffUnavailable as error:
            log.warning("consumer.floor.unknown error=%s", type(error).__name__)
            await self._ended(*item.place)
            return Again(self._retry_s)
        except OutsideUnavailable as error:
            log.warning("consumer.turn.waits error=%s", error)
            return await self._wait_for_outside(item, turn)
        except Exception as error:
            log.error("consumer.turn.failed error=%s", type(error).__name__)
            log.debug("consumer.turn.failed", exc_info=True)
            return await self._failed(item, turn, error)
        finally:
            current_turn.set(None)
        await self._finish(item, turn)
        metrics.TURN_SECONDS.observe(time.perf_counter() - began)
        return None

    async def _finish(self, item: Item, turn: Turn, dead: dict[str, Any] | None = None) -> None:
        leave_slot()
        if _called_a_person(turn.events):
            await self._floor.called(turn.entry.customer, turn.entry.id, turn.epoch)
        outcome = await self._commits.commit(item, turn, dead)
        if outcome == "fenced":
            await self._ended(*item.place)
        metrics.TURNS.labels("set_aside" if dead else turn.outcome if outcome == "done" else outcome).inc()

    async def _wait_for_outside(self, item: Item, turn: Turn) -> Again | None:
        """Patience with what is being restarted; then the apology, and the dialogue goes on as far as it came."""
        since = self._outside_away_since.setdefault(item.place, time.monotonic())
        if time.monotonic() - since < OUTSIDE_PATIENCE_S:
            await self._ended(*item.place)
            return Again(1.0)
        if not turn.replies:
            await self._apologise(turn)
        await self._finish(item, turn)
        return None

    async def _failed(self, item: Item, turn: Turn, error: Exception) -> Again | None:
        partition = item.owned.partition
        failures = int(await self._fail([keys.owner(partition), keys.failures(partition)], _token(item)))
        await self._ended(*item.place)
        if failures < 0:
            return None
        metrics.TURNS.labels("failed").inc()
        if failures < MAX_FAILURES:
            return Again(self._retry_s * 3 ** (failures - 1))
        await self._set_aside(item, turn, type(error).__name__)
        return None

    async def _set_aside(self, item: Item, turn: Turn, reason: str) -> None:
        """Keep the entry as a dead letter; the customer gets an apology for a message."""
        fresh = Turn(turn.entry, turn.metadata, turn.epoch)
        log.error("consumer.entry.set_aside kind=%s reason=%s", turn.entry.kind, reason)
        if turn.entry.kind == "message":
            await self._apologise(fresh)
        dead = {"entry": item.text, "reason": reason, "at": time.time()}
        await self._finish(item, fresh, dead)

    async def _apologise(self, turn: Turn) -> None:
        try:
            await asyncio.wait_for(self._speaker.say(turn, APOLOGY), 5)
        except (RedisError, ConnectionError):
            raise
        except Exception as error:
            log.error("consumer.apology.failed error=%s", type(error).__name__)

    async def _handle(self, turn: Turn) -> None:
        kind = turn.entry.kind
        if kind == "message":
            await self._message(turn)
        elif kind == "agent_comment":
            _comment(turn)
        elif kind == "conversation_returned":
            await self._returned(turn)
        elif kind == "comment_failed":
            await self._floor.not_delivered(str(turn.entry.payload["key"]), str(turn.entry.payload["why"]))
        else:
            raise ValueError(f"unknown kind of entry: {kind}")

    async def _returned(self, turn: Turn) -> None:
        """The assistant has the floor again, unless the agent took it up once more in the meantime."""
        state = await self._floor.accept_return(turn.entry.customer, turn.entry.id)
        turn.epoch = state.epoch
        if state.holder != "bot":
            return
        await self._speaker.say(turn, RETURNED_WITH.get(str(turn.entry.payload.get("reason")), ENDED))
        await self._speaker.restart(turn)

    async def _message(self, turn: Turn) -> None:
        state = await self._floor.holder(turn.entry.customer)
        turn.epoch = state.epoch
        # A turn that called a person, and died before it was committed, runs again: the customer was not told yet.
        if (
            state.holder != "bot"
            and state.opened_by != turn.entry.id
            and not await self._handed_back(turn, waiting=state.holder == "waiting")
        ):
            return
        sent_at = turn.metadata.get("timestamp") or time.time()
        if time.time() - float(sent_at) > WINDOW_S:
            turn.outcome = "too_old"
            log.warning("consumer.message.too_old age_h=%d", (time.time() - float(sent_at)) / 3600)
            return
        self._speaker.seen(turn)
        await self._resolve_quote(turn)
        await self._speaker.answer(turn)
        if await self._taken_meanwhile(turn):
            return
        if not turn.replies and not turn.silent:
            turn.outcome = "without_words"
            log.warning("consumer.turn.without_words")
            await self._speaker.say(turn, APOLOGY)

    async def _handed_back(self, turn: Turn, waiting: bool) -> bool:
        """Hand the message to the person who is to read it, however late; True when it is the assistant's after all.

        Until a person has written, the customer may take the conversation back, and hears that their words arrived.
        """
        turn.outcome = "relayed"
        wish = await self._speaker.wish(turn) if waiting else None
        relayed = await self._floor.relay(turn.entry.customer, turn.entry, wish)
        if relayed.receipt is not None:
            await self._acknowledge(turn, relayed.receipt)
        if relayed.outcome != "answerable":
            return False
        state = await self._floor.holder(turn.entry.customer)
        turn.epoch, turn.outcome = state.epoch, "answered"
        return state.holder == "bot"

    async def _acknowledge(self, turn: Turn, receipt: Receipt) -> None:
        if receipt.opens is None:
            await self._speaker.say(turn, RECEIPT, reference=receipt.reference)
        else:
            await self._speaker.say(turn, RECEIPT_OUT_OF_HOURS, reference=receipt.reference, opens=receipt.opens)

    async def _resolve_quote(self, turn: Turn) -> None:
        """Tell the dialogue what the message quotes: by now everything before it is done."""
        reply_to = turn.metadata.get("reply_to")
        said = await quoting.quoted(self._client, turn.entry.customer, str(reply_to)) if reply_to else None
        if said is not None:
            turn.metadata["quoted"] = said

    async def _taken_meanwhile(self, turn: Turn) -> bool:
        """An agent spoke up while the answer was made: it would not be sent, and the message is theirs to read."""
        state = await self._floor.holder(turn.entry.customer)
        if state.holder == "bot" or state.opened_by == turn.entry.id:
            return False
        turn.forget()
        turn.epoch, turn.outcome = state.epoch, "relayed"
        await self._floor.relay(turn.entry.customer, turn.entry)
        return True


def _token(item: Item) -> list[str | int]:
    return [item.owned.token, item.stream_id]


def _turn(item: Item) -> Turn:
    try:
        entry = Entry.from_json(item.text)
        return Turn(entry, dict(entry.payload.get("metadata") or {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Turn(Entry("unreadable", item.customer, f"{item.owned.partition}-{item.stream_id}", {}), {})


def _called_a_person(events: list[dict[str, Any]]) -> bool:
    """Whether the turn opened a takeover: the action ran and did not have to say that it failed."""
    said = [(event.get("metadata") or {}).get("utter_action") for event in events if event.get("event") == "bot"]
    ran = any(event.get("event") == "action" and event.get("name") == ESCALATION for event in events)
    return ran and NOBODY_CALLED not in said


def _comment(turn: Turn) -> None:
    """An agent's words (and links to media) become replies as they are; outside the window, an approved template."""
    payload: dict[str, Any] = turn.entry.payload
    parts = [str(payload.get("text") or ""), *[str(url) for url in payload.get("media") or []]]
    words = "\n".join(part for part in parts if part)
    template = payload.get("template")
    if template:
        parameters = [{"type": "text", "text": str(text)} for text in template.get("parameters") or []]
        components = [{"type": "body", "parameters": parameters}] if parameters else []
        for shaped in bodies.template(template["name"], template["language"], components):
            turn.replies.append(Reply(shaped.body, words))
        return
    turn.replies.extend(Reply(shaped.body, shaped.text) for shaped in bodies.texts(words))
