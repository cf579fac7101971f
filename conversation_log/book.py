"""One batch of records, worked out in memory against what the database knows, and written in one go.

Everything is idempotent: a message that is known keeps its place, totals follow from the messages, ids derive from
the first message's key. So a batch that was committed but not acknowledged can be read again without a trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from conversation_log import reader, rules
from conversation_log.records import RETURNED, Message, Outcome, Record, Status, Takeover, Turn
from conversation_log.tables import conversations, early_statuses, messages

_NAMESPACE = uuid.UUID("6c0f3f3e-7f0e-5d0c-9a43-6c1b2d1a5e10")
_IN_LIST = 400  # below every database's limit of bound parameters

Row = dict[str, Any]


class Book:
    """The rows that a batch touches. `load`, then `apply` each record in order, then `write`."""

    def __init__(self, connection: Connection, bot_version: str) -> None:
        self._connection = connection
        self._bot_version = bot_version
        self._messages: dict[str, Row] = {}
        self._by_wamid: dict[str, Row] = {}
        self._conversations: dict[str, Row] = {}
        self._latest: dict[str, Row] = {}
        self._early: dict[str, Row] = {}
        self._new: set[int] = set()
        self._changed: dict[int, tuple[str, Row]] = {}
        self._applied_early: set[str] = set()

    def load(self, records: Sequence[Record]) -> None:
        """Read what the database knows of the messages and customers in `records`."""
        keys: set[str] = set()
        wamids: set[str] = set()
        customers: set[str] = set()
        for record in records:
            if isinstance(record, Turn):
                keys.update(message.key for message in record.messages)
            elif isinstance(record, (Outcome, Status)):
                keys.update([record.key] if record.key else [])
                wamids.update([record.message_id] if record.message_id else [])
            if not isinstance(record, Status):
                customers.add(record.customer)
        for row in self._rows(messages, messages.c.message_key, keys | wamids):
            self._know(row)
        for row in self._rows(messages, messages.c.message_id, wamids - self._by_wamid.keys()):
            self._know(row)
        for row in self._rows(early_statuses, early_statuses.c.message_id, wamids):
            self._early[row["message_id"]] = row
        self._load_conversations(customers)

    def _load_conversations(self, customers: set[str]) -> None:
        newest = (
            select(conversations.c.customer_id, func.max(conversations.c.started_at).label("started_at"))
            .group_by(conversations.c.customer_id)
        )
        for part in _parts(customers):
            latest = newest.where(conversations.c.customer_id.in_(part)).subquery()
            found = select(conversations).join(
                latest,
                (conversations.c.customer_id == latest.c.customer_id)
                & (conversations.c.started_at == latest.c.started_at),
            )
            for row in self._connection.execute(found).mappings():
                self._latest[row["customer_id"]] = self._conversations.setdefault(row["log_id"], dict(row))
        ids = {row["log_id"] for row in self._messages.values()} - self._conversations.keys()
        for row in self._rows(conversations, conversations.c.log_id, ids):
            self._conversations[row["log_id"]] = row

    def _rows(self, table: Any, column: Any, values: set[str]) -> Iterable[Row]:
        for part in _parts(values):
            for row in self._connection.execute(select(table).where(column.in_(part))).mappings():
                yield dict(row)

    def _know(self, row: Row) -> None:
        row = self._messages.setdefault(row["message_key"], row)
        if row["message_id"]:
            self._by_wamid[row["message_id"]] = row

    # -- applying

    def apply(self, record: Record) -> None:
        """Take one record in."""
        if isinstance(record, Turn):
            self._apply_turn(record)
        elif isinstance(record, Outcome):
            self._apply_outcome(record)
        elif isinstance(record, Status):
            self._apply_status(record)
        else:
            self._apply_takeover(record)

    def _apply_turn(self, turn: Turn) -> None:
        known = next((self._messages[m.key] for m in turn.messages if m.key in self._messages), None)
        if known is not None:
            conversation = self._conversations[known["log_id"]]
        elif turn.messages:
            conversation = self._conversation_for(turn)
        elif turn.customer in self._latest:
            conversation = self._latest[turn.customer]
        else:
            return
        for message in turn.messages:
            row = self._messages.get(message.key)
            if row is None:
                self._add(conversation, message)
            else:
                self._complete(row, message)
        if turn.phone and not conversation["customer_phone"]:
            self._change(conversation, customer_phone=turn.phone)
        if turn.model and not conversation["model"]:
            self._change(conversation, model=turn.model)
        if turn.escalation:
            self._escalate(conversation, turn.escalation.reason, turn.escalation.priority)

    def _conversation_for(self, turn: Turn) -> Row:
        """The customer's conversation that the turn belongs to: the last one, or a new one.

        New after 60 idle minutes, where Rasa starts a session, and with the first answer after a takeover.
        """
        latest = self._latest.get(turn.customer)
        if latest is None:
            return self._begin(turn.customer, turn.phone, turn.messages[0])
        if not any(message.role == "user" for message in turn.messages):
            return latest
        idle = turn.at - latest["ended_at"] > rules.IDLE
        if turn.answered:
            # While a person has the floor nothing is answered; so this answer means that they gave it back.
            given_back = latest["resolution_status"] == "escalated"
            fresh = idle or given_back or (turn.begins_session and turn.at > latest["ended_at"])
        else:
            # With a person, hours may pass between two messages of the same case.
            fresh = idle and latest["resolution_status"] != "escalated"
        return self._begin(turn.customer, turn.phone, turn.messages[0]) if fresh else latest

    def _begin(self, customer: str, phone: str | None, first: Message) -> Row:
        previous = self._latest.get(customer)
        if previous is not None and previous["resolution_status"] == "open":
            self._change(previous, resolution_status=rules.ending(self._messages_of(previous)))
        log_id = str(uuid.uuid5(_NAMESPACE, f"{customer}\n{first.key}"))
        row: Row = {
            "log_id": log_id,
            "session_id": f"{first.sent_at:%Y%m%dT%H%M%S}-{log_id[:8]}",
            "customer_id": customer,
            "customer_phone": phone or (previous or {}).get("customer_phone"),
            "started_at": first.sent_at,
            "ended_at": first.sent_at,
            "resolution_status": "open",
            "escalation_reason": None,
            "escalation_priority": None,
            "returned_at": None,
            "bot_version": self._bot_version,
            "model": None,
            "total_turns": 0,
            "total_messages": 0,
        }
        self._conversations[log_id] = self._latest[customer] = row
        self._insert("conversations", row)
        return row

    def _messages_of(self, conversation: Row) -> list[Row]:
        """All messages of a conversation, those of this batch included, in order."""
        found = select(messages).where(messages.c.log_id == conversation["log_id"])
        for row in self._connection.execute(found).mappings():
            self._know(dict(row))
        mine = [row for row in self._messages.values() if row["log_id"] == conversation["log_id"]]
        return sorted(mine, key=rules.spoken)

    def _add(self, conversation: Row, message: Message) -> Row:
        turns = conversation["total_turns"] + (1 if message.role == "user" else 0)
        row: Row = {
            **{name: value for name, value in asdict(message).items() if name != "key"},
            "message_key": message.key,
            "log_id": conversation["log_id"],
            "position": conversation["total_messages"] + 1,
            "turn": max(turns, 1),
            "accepted_at": None,
            "delivery_status": None,
            "error": None,
            "suppressed": False,
        }
        self._insert("messages", row)
        self._know(row)
        if conversation["resolution_status"] in ("resolved", "abandoned"):
            # It had been taken for over; the next round judges again.
            self._change(conversation, resolution_status="open")
        self._change(
            conversation,
            total_turns=turns,
            total_messages=row["position"],
            started_at=min(conversation["started_at"], message.sent_at),
            ended_at=max(conversation["ended_at"], message.sent_at),
        )
        return row

    def _complete(self, row: Row, message: Message) -> None:
        """A reply whose outcome was read before its turn: fill in what only the turn knows."""
        if row["role"] == "assistant" and message.role == "assistant" and row["feature"] is None:
            self._change(
                row,
                **{name: getattr(message, name) for name in (
                    "feature", "escalated", "response", "model", "llm", "policy_pages", "buttons"
                )},
            )  # fmt: skip

    def _apply_outcome(self, outcome: Outcome) -> None:
        row = self._messages.get(outcome.key)
        if row is None:
            row = self._add(self._conversation_of(outcome), _spoken(outcome))
        if outcome.key.startswith(RETURNED):
            self._change(self._conversations[row["log_id"]], returned_at=outcome.at)
        if outcome.outcome == "suppressed":
            if row["delivery_status"] in (None, "failed"):
                self._change(row, suppressed=True, error=outcome.error)
            return
        if outcome.outcome not in ("accepted", "failed"):
            return
        if outcome.outcome == "accepted":
            # What went out is what the customer read, whatever the dialogue had in mind.
            conversation = self._conversations[row["log_id"]]
            self._change(conversation, ended_at=max(conversation["ended_at"], outcome.at))
            self._change(row, suppressed=False, accepted_at=row["accepted_at"] or outcome.at,
                         content=_without_titles(outcome.text, row["buttons"]) or row["content"])
        status = rules.furthest(row["delivery_status"], outcome.outcome)
        self._change(row, delivery_status=status, error=outcome.error if status == "failed" else None)
        if outcome.message_id and row["message_id"] is None:
            self._change(row, message_id=outcome.message_id)
            self._by_wamid[outcome.message_id] = row
        self._settle_early(row)

    def _conversation_of(self, outcome: Outcome) -> Row:
        latest = self._latest.get(outcome.customer)
        stands = latest is not None and (
            outcome.author == "agent" or outcome.at - latest["ended_at"] <= rules.IDLE
            or latest["resolution_status"] == "escalated"
        )
        if latest is not None and stands:
            return latest
        return self._begin(outcome.customer, None, _spoken(outcome))

    def _apply_status(self, status: Status) -> None:
        row = self._messages.get(status.key or "") or self._by_wamid.get(status.message_id)
        if row is None:
            self._keep_early(status)
        elif row["role"] != "user":
            if row["message_id"] is None:
                self._change(row, message_id=status.message_id)
                self._by_wamid[status.message_id] = row
            self._set_status(row, status.status, status.error)

    def _set_status(self, row: Row, status: str, error: str | None) -> None:
        reached = rules.furthest(row["delivery_status"], status)
        if reached != row["delivery_status"] or row["suppressed"]:
            # A status proves that the message left, whatever we believed.
            self._change(row, delivery_status=reached, suppressed=False,
                         error=(error or row["error"]) if reached == "failed" else None)

    def _keep_early(self, status: Status) -> None:
        row = self._early.get(status.message_id)
        if row is None:
            row = {"message_id": status.message_id, "message_key": status.key, "status": status.status,
                   "at": status.at, "error": status.error}
            self._early[status.message_id] = row
            self._insert("early_statuses", row)
        else:
            reached = rules.furthest(row["status"], status.status)
            self._change(row, status=reached, error=status.error or row["error"])

    def _settle_early(self, row: Row) -> None:
        early = self._early.pop(row["message_id"], None) if row["message_id"] else None
        if early is not None:
            self._applied_early.add(early["message_id"])
            self._set_status(row, early["status"], early["error"])

    def _apply_takeover(self, takeover: Takeover) -> None:
        conversation = self._latest.get(takeover.customer)
        if conversation is None:
            return
        if takeover.event == "opened":
            self._escalate(conversation, takeover.escalation.reason, takeover.escalation.priority)
        elif conversation["resolution_status"] == "escalated":
            self._change(conversation, returned_at=takeover.at)

    def _escalate(self, conversation: Row, reason: str | None, priority: str | None) -> None:
        self._change(
            conversation,
            resolution_status="escalated",
            escalation_reason=conversation["escalation_reason"] or reason,
            escalation_priority=conversation["escalation_priority"] or priority,
        )

    # -- writing

    def _insert(self, table: str, row: Row) -> None:
        self._new.add(id(row))
        self._changed[id(row)] = (table, row)

    def _change(self, row: Row, **values: Any) -> None:
        if any(row[name] != value for name, value in values.items()):
            row.update(values)
            self._changed.setdefault(id(row), (_table_of(row), row))

    def write(self) -> int:
        """Insert and update the rows. Returns how many. Raises IntegrityError when another writer was faster."""
        for name, table, key in (
            ("conversations", conversations, "log_id"),
            ("messages", messages, "message_key"),
            ("early_statuses", early_statuses, "message_id"),
        ):
            rows = [row for kind, row in self._changed.values() if kind == name]
            if name == "early_statuses":
                rows = [row for row in rows if row["message_id"] not in self._applied_early]
            self._write_table(table, key, rows)
        for part in _parts(self._applied_early):
            self._connection.execute(delete(early_statuses).where(early_statuses.c.message_id.in_(part)))
        return len(self._changed)

    def _write_table(self, table: Any, key: str, rows: list[Row]) -> None:
        new = [row for row in rows if id(row) in self._new]
        old = [row for row in rows if id(row) not in self._new]
        if new:
            self._connection.execute(insert(table), new)
        if old:
            names = [column.name for column in table.columns if column.name != key]
            statement = (
                update(table)
                .where(table.c[key] == bindparam("the_key"))
                .values({name: bindparam(f"new_{name}") for name in names})
            )
            values = [{"the_key": row[key], **{f"new_{name}": row[name] for name in names}} for row in old]
            self._connection.execute(statement, values)


def _table_of(row: Row) -> str:
    if "message_key" in row and "role" in row:
        return "messages"
    return "conversations" if "session_id" in row else "early_statuses"


def _spoken(outcome: Outcome) -> Message:
    """The message that an outcome tells of, when nothing else told of it (an agent's words, an apology)."""
    return Message(key=outcome.key, role=outcome.author, content=outcome.text, sent_at=outcome.at)


def _without_titles(text: str, buttons: list[str] | None) -> str:
    """The words of a message whose buttons' titles were written below them; the log has those by themselves."""
    for title in reversed(buttons or []):
        text = text.removesuffix(f"\n[{title}]")
    return text


def _parts(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[at : at + _IN_LIST] for at in range(0, len(ordered), _IN_LIST))


def forget_early(connection: Connection, before: datetime) -> int:
    """Delete statuses that never met their message (another system's messages on the same number)."""
    return int(connection.execute(delete(early_statuses).where(early_statuses.c.at < before)).rowcount)


def settle_idle(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Give conversations that were silent for 60 minutes their resolution. Returns how many."""
    over = (
        select(conversations.c.log_id)
        .where(conversations.c.resolution_status == "open", conversations.c.ended_at <= now - rules.IDLE)
        .limit(limit)
    )
    ids = list(connection.execute(over).scalars())
    by_id: dict[str, list[Row]] = {}
    for part in _parts(ids):
        by_id |= reader.messages_of(connection, part)
    for log_id, rows in by_id.items():
        still_open = (conversations.c.log_id == log_id) & (conversations.c.resolution_status == "open")
        connection.execute(update(conversations).where(still_open).values(resolution_status=rules.ending(rows)))
    return len(ids)
