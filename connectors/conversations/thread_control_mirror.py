"""Who owns a conversation, by SQL; while SQL does not answer, by what it said last: an outage silences few customers.

SQL is the authority, and while it is away for all nobody can open, take up or give back a conversation. What it said
last is therefore still true, provided that it was kept in time. It is: a turn that calls a person is committed (and
its announcement sent) only after the mirror shows the takeover, and an agent's words are sent only after it shows
who speaks. Where the mirror lags, it mostly errs towards silence: a return that it has not seen leaves the customer
waiting until SQL is back.

Two gaps remain. Where SQL is away or slow for this process only, an agent may speak up unseen; their first words,
sent by whatever process, close that gap. And a mirror that Redis lost, or that ran out, is read as "the assistant
speaks"; a customer who never had a takeover has no entry at all, and the same answer is right for them.
"""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

import redis.asyncio

from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry
from handoff.storage.database import HandoffUnavailable
from handoff.takeover.customer_messages import Wish
from handoff.takeover.inbox_entries import is_agents
from handoff.takeover.thread_control import ControlState, Relayed, ThreadControl
from hot_store import record_versions

log = logging.getLogger(__name__)

BUDGET_S = 1.5
PAUSE_S = 2.0
KEEP_S = 30 * 24 * 3600  # an open ticket may be quiet for weeks
REWRITE_AFTER_S = 24 * 3600
REMEMBERED = 20_000

Answer = TypeVar("Answer")


class MirroredThreadControl:
    """`control`, with a copy of what it says in Redis. Methods raise HandoffUnavailable and redis.RedisError."""

    def __init__(
        self,
        control: ThreadControl,
        client: redis.asyncio.Redis,
        budget_s: float = BUDGET_S,
        pause_s: float = PAUSE_S,
        remembered: int = REMEMBERED,
    ) -> None:
        self._control, self._client = control, client
        self._budget_s, self._pause_s, self._remembered = budget_s, pause_s, remembered
        self._write = keys.Script(client, "thread_control")
        self._kept: OrderedDict[str, tuple[ControlState, float]] = OrderedDict()
        self._ask_again_at: float | None = None  # None while SQL answers

    async def owner(self, customer: str) -> ControlState:
        """Who owns the conversation. Raises HandoffUnavailable when that may be a person and SQL cannot tell."""
        try:
            return await self._asked(customer)
        except HandoffUnavailable:
            state = await self._mirrored(customer)
            if state.owner != "bot":
                raise
            return state

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        """The send gate. Raises HandoffUnavailable when only SQL can know of the reply's control version."""
        if wamid is not None and is_agents(wamid):
            await self._shown(customer)
        try:
            return await self._ask(lambda: self._control.admit_reply(customer, control_version, wamid))
        except HandoffUnavailable:
            state = await self._mirrored(customer)
            allowed = state.may_speak(control_version, wamid)
            if not allowed and control_version > state.control_version:
                raise
            return allowed

    async def takeover_opened(self, customer: str, entry_id: str, control_version: int) -> None:
        """Show the takeover that the turn `entry_id` (begun in `control_version`) opened, even without SQL."""
        if not await self._shown(customer):
            await self._keep(customer, ControlState("waiting", control_version + 1, entry_id))

    async def relay(self, customer: str, entry: Entry, wish: Wish | None = None) -> Relayed:
        return await self._control.relay(customer, entry, wish)

    async def not_delivered(self, entry_id: str, why: str) -> None:
        await self._control.not_delivered(entry_id, why)

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        await self._control.reply_suppressed(customer, wamid, answer)

    async def accept_return(self, customer: str, entry_id: str) -> ControlState:
        state = await self._control.accept_return(customer, entry_id)
        return await self._keep(customer, state)

    async def _shown(self, customer: str) -> bool:
        """Bring the mirror up to date, if SQL answers."""
        try:
            await self._asked(customer)
        except HandoffUnavailable:
            return False
        return True

    async def _asked(self, customer: str) -> ControlState:
        return await self._keep(customer, await self._ask(lambda: self._control.owner(customer)))

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """SQL's answer within the budget; after a failure only one asks now and then, the others are refused."""
        if self._ask_again_at is not None:
            if time.monotonic() < self._ask_again_at:
                raise HandoffUnavailable("not asked so soon again")
            self._ask_again_at = time.monotonic() + max(self._pause_s, self._budget_s)
        try:
            answer = await asyncio.wait_for(question(), self._budget_s)
        except (HandoffUnavailable, asyncio.TimeoutError) as error:
            if self._ask_again_at is None:
                log.error("thread_control.database.unavailable error=%s; going by the mirror", type(error).__name__)
            self._ask_again_at = time.monotonic() + self._pause_s
            raise HandoffUnavailable(type(error).__name__) from None
        if self._ask_again_at is not None:
            log.info("thread_control.database.back")
            self._ask_again_at = None
        return answer

    async def _keep(self, customer: str, state: ControlState) -> ControlState:
        """Write what differs from what this process wrote last; the normal case costs no round trip."""
        last, at = self._kept.get(customer, (ControlState(), 0.0))
        if state == last and (state == ControlState() or time.monotonic() - at < REWRITE_AFTER_S):
            return state
        # The stored names are older than the Python ones, and a release beside this one reads them.
        stored = {"holder": state.owner, "epoch": state.control_version, "opened_by": state.opened_by}
        state_json = json.dumps(record_versions.stamped(stored))
        await self._write([keys.thread_control(customer)], [state.control_version, state_json, KEEP_S])
        self._kept[customer] = (state, time.monotonic())
        self._kept.move_to_end(customer)
        if len(self._kept) > self._remembered:
            self._kept.popitem(last=False)
        return state

    async def _mirrored(self, customer: str) -> ControlState:
        """As this or another process last heard it. Raises HandoffUnavailable for an entry that is not ours."""
        text = await self._client.get(keys.thread_control(customer))
        if text is None:
            return ControlState()
        try:
            stored = json.loads(text)
            record_versions.check(stored)
            opened_by = stored["opened_by"]
            return ControlState(
                str(stored["holder"]), int(stored["epoch"]), None if opened_by is None else str(opened_by)
            )
        except (ValueError, KeyError, TypeError):
            log.error("thread_control.mirror.unreadable")
            raise HandoffUnavailable("the mirror is unreadable") from None
