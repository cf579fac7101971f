"""The rows that a batch of records touches: read once, changed in memory, written in one go."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from conversation_log.model import judgements
from conversation_log.model.records import Outcome, Record, Status, Turn
from conversation_log.storage.reader import in_parts
from conversation_log.storage.tables import archived_keys, charges, conversations, early_statuses, messages

Row = dict[str, Any]


class BatchSession:
    """Rows by their keys. `load` what the batch may touch, change rows through the methods, then `write`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._messages: dict[str, Row] = {}
        self._by_wamid: dict[str, Row] = {}
        self._conversations: dict[str, Row] = {}
        self._latest: dict[str, Row] = {}
        self._early: dict[str, Row] = {}
        self._new: set[int] = set()
        self._changed: dict[int, tuple[str, Row]] = {}
        self._applied_early: set[str] = set()
        self._archived: set[str] = set()
        self._charged: set[str] = set()
        self.booked: list[Row] = []  # new rows of `charges`

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
        self._archived = {row["message_key"] for row in self._rows(archived_keys, archived_keys.c.message_key, keys)}
        billed = {charge_key(one.message_id) for one in records if isinstance(one, Status) and one.charge}
        self._charged = {row["charge_key"] for row in self._rows(charges, charges.c.charge_key, billed)}
        self._load_conversations(customers)

    def _load_conversations(self, customers: set[str]) -> None:
        newest = select(conversations.c.customer_id, func.max(conversations.c.started_at).label("started_at")).group_by(
            conversations.c.customer_id
        )
        for part in in_parts(customers):
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
        for part in in_parts(values):
            for row in self._connection.execute(select(table).where(column.in_(part))).mappings():
                yield dict(row)

    def _know(self, row: Row) -> None:
        row = self._messages.setdefault(row["message_key"], row)
        if row["message_id"]:
            self._by_wamid[row["message_id"]] = row

    def _messages_of(self, conversation: Row) -> list[Row]:
        """All messages of a conversation, those of this batch included, in order."""
        found = select(messages).where(messages.c.log_id == conversation["log_id"])
        for row in self._connection.execute(found).mappings():
            self._know(dict(row))
        mine = [row for row in self._messages.values() if row["log_id"] == conversation["log_id"]]
        return sorted(mine, key=judgements.spoken)

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
            ("charges", charges, "charge_key"),
        ):
            rows = [row for kind, row in self._changed.values() if kind == name]
            if name == "early_statuses":
                rows = [row for row in rows if row["message_id"] not in self._applied_early]
            self._write_table(table, key, rows)
        for part in in_parts(self._applied_early):
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


def charge_key(wamid: str) -> str:
    """The name of a message in the ledger, which must not lead back to the customer whose number its id holds."""
    return hashlib.sha256(wamid.encode()).hexdigest()
