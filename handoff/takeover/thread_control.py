"""Does the assistant own the conversation? Asked before every turn and again at the moment of sending.

There is no cache: a stale "bot" would let two voices speak, and one primary-key read costs less than it would
save. When the database does not answer, the question raises; the transport's `MirroredThreadControl` then decides by
what the database last said, so that an outage of SQL does not silence the assistant.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import sqlite

from handoff.configuration import HandoffConfiguration, load_configuration
from handoff.storage.database import Database
from handoff.storage.tables import thread_controls
from handoff.takeover.customer_messages import Wish, customer_said, message_of, not_delivered, reply_suppressed
from handoff.takeover.inbox_entries import RETURNED, is_agents, version_of_return
from handoff.takeover.opening_hours import Opening
from handoff.takeover.receipts import take_receipt
from handoff.takeover.takeover_end import accept_return
from settings import Settings

_BY_CUSTOMER = select(thread_controls.c.owner, thread_controls.c.control_version, thread_controls.c.opened_by).where(
    thread_controls.c.customer == bindparam("customer")
)
_IN_SQLITE = str(_BY_CUSTOMER.compile(dialect=sqlite.dialect()))


class MessageEntry(Protocol):
    """A customer's message in the inbox."""

    @property
    def id(self) -> str: ...

    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Receipt:
    """What a waiting customer is to be told now: the number of their ticket, and when people answer, if not now."""

    reference: str
    opens: Opening | None


@dataclass(frozen=True)
class Relayed:
    """What became of a message for a person. `outcome` as handoff.takeover.customer_messages.customer_said tells it."""

    outcome: str = "ticket"
    receipt: Receipt | None = None


@dataclass(frozen=True)
class ControlState:
    """`owner`: bot, waiting or agent. `opened_by`: wamid of the turn that last called a person."""

    owner: str = "bot"
    control_version: int = 0
    opened_by: str | None = None

    def may_speak(self, control_version: int, wamid: str | None) -> bool:
        """Whether a reply computed in `control_version` for `wamid` (a message or other inbox entry) may still be sent.

        While a person owns the conversation, only the turn that called them may speak: its reply says so; and while the
        customer waits, what was computed since they do, which is a receipt. Agents' words always may, and the words
        that give a conversation back carry the control_version that they announce.
        """
        if wamid is not None and is_agents(wamid):
            return True
        if wamid is not None and wamid.startswith(RETURNED):
            control_version = version_of_return(wamid)
        if self.owner == "bot":
            return self.control_version == control_version
        if self.owner == "waiting" and self.control_version == control_version:
            return True
        return wamid is not None and self.opened_by == wamid


class ThreadControl:
    """Thread control of every customer, as the database knows it now. Methods raise HandoffUnavailable."""

    def __init__(
        self,
        db: Database,
        configuration: HandoffConfiguration,
        priority_of: Callable[[str], str | None] | None = None,
    ) -> None:
        """`priority_of`: how grave a waiting customer's words are, None for not at all; called in a thread."""
        self._db = db
        self._configuration = configuration
        self._priority_of = priority_of

    @classmethod
    def from_settings(
        cls, configured: Settings, priority_of: Callable[[str], str | None] | None = None
    ) -> ThreadControl:
        """Connects on first use, but reads `handoff.yml` now. Raises HandoffConfigurationError."""
        return cls(Database(configured.values["CONVERSATION_DATABASE_URL"] or ""), load_configuration(), priority_of)

    async def owner(self, customer: str) -> ControlState:
        """Who speaks to this customer. The turn keeps the control_version and shows it again when it sends."""
        if self._db.sqlite and self._db.prepared:
            # 20 µs, and readers of a write-ahead log wait for nobody: less than the way to a thread and back.
            row = self._db.first_row(_IN_SQLITE, customer)
            return ControlState() if row is None else ControlState(*row)
        return await asyncio.to_thread(self.read, customer)

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        """The send gate, see ControlState.may_speak. Words that give a conversation back accept the return by it."""
        if wamid is not None and wamid.startswith(RETURNED):
            return (await self.accept_return(customer, wamid)).may_speak(control_version, wamid)
        return (await self.owner(customer)).may_speak(control_version, wamid)

    async def accept_return(self, customer: str, entry_id: str) -> ControlState:
        """Take control back: the customer's inbox has come to a conversation_returned entry. Who has it from here on.

        It is the assistant, unless the agent took up the conversation again in the meantime.
        """
        state = await self.owner(customer)
        if state.owner == "bot":
            return state
        await asyncio.to_thread(accept_return, self._db, customer, entry_id)
        return await self.owner(customer)

    async def relay(self, customer: str, entry: MessageEntry, wish: Wish | None = None) -> Relayed:
        """Hand a message to the ticket, and grant what a waiting customer was understood to wish; may be repeated.

        Raises ControlReturned (a HandoffUnavailable) when the assistant owns the conversation by now: ask `owner`
        again.
        """
        return await asyncio.to_thread(self._relay, customer, entry, wish)

    def _relay(self, customer: str, entry: MessageEntry, wish: Wish | None) -> Relayed:
        message = message_of(entry.id, entry.payload)
        if self._priority_of is not None and message.text and wish is None:
            message = replace(message, priority=self._priority_of(message.text))
        message = replace(message, wish=wish)
        outcome = customer_said(self._db, customer, message, self._configuration)
        return Relayed(outcome, self._receipt(customer, message.wamid) if outcome == "ticket" else None)

    def _receipt(self, customer: str, wamid: str) -> Receipt | None:
        now = time.time()
        due = take_receipt(self._db, customer, wamid, self._configuration, now)
        return None if due is None else Receipt(due.reference, self._configuration.hours.closed_until(now))

    async def not_delivered(self, entry_id: str, why: str) -> None:
        """An agent's comment (inbox entry or reply key) did not reach the customer: the agent is told `why`, once."""
        await asyncio.to_thread(not_delivered, self._db, entry_id, why)

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        """The assistant's answer to the message `wamid` was not sent: the person in control is told, once."""
        await asyncio.to_thread(reply_suppressed, self._db, customer, wamid, answer)

    def read(self, customer: str) -> ControlState:
        """`owner` without the event loop."""
        with self._db.read() as connection:
            row = connection.execute(_BY_CUSTOMER, {"customer": customer}).first()
        return ControlState() if row is None else ControlState(row.owner, row.control_version, row.opened_by)
