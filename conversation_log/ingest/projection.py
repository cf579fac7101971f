"""One batch of records, worked out in memory against what the database knows.

Everything is idempotent: a message that is known keeps its place, totals follow from the messages, ids derive from
the first message's key. So a batch that was committed but not acknowledged can be read again without a trace.
"""

import uuid
from dataclasses import asdict

from sqlalchemy.engine import Connection

from conversation_log.ingest.batch_session import BatchSession, Row, charge_key
from conversation_log.model import judgements
from conversation_log.model.records import RETURNED, Message, Outcome, Record, Status, Turn, without_titles

_NAMESPACE = uuid.UUID("6c0f3f3e-7f0e-5d0c-9a43-6c1b2d1a5e10")


class LogProjector(BatchSession):
    """Takes records in: `load` them, `apply` each in order, then `write`."""

    def __init__(self, connection: Connection, bot_version: str) -> None:
        super().__init__(connection)
        self._bot_version = bot_version

    def apply(self, record: Record) -> None:
        """Take one record in."""
        if isinstance(record, Turn):
            self._apply_turn(record)
        elif isinstance(record, Outcome):
            self._apply_outcome(record)
        else:
            self._apply_status(record)

    def _apply_turn(self, turn: Turn) -> None:
        if any(message.key in self._archived for message in turn.messages):
            return
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
        idle = turn.at - latest["ended_at"] > judgements.IDLE
        if not any(message.role == "user" for message in turn.messages):
            unasked = idle and latest["resolution_status"] != "escalated"
            return self._begin(turn.customer, turn.phone, turn.messages[0]) if unasked else latest
        if all(message.intent in judgements.RATINGS for message in turn.messages if message.role == "user"):
            return latest  # how it was with a person ends that conversation, and begins none
        if turn.answered:
            # While a person owns the conversation nothing is answered; so this answer means that they gave it back.
            given_back = latest["resolution_status"] == "escalated"
            fresh = idle or given_back or (turn.begins_session and turn.at > latest["ended_at"])
        else:
            # With a person, hours may pass between two messages of the same case.
            fresh = idle and latest["resolution_status"] != "escalated"
        return self._begin(turn.customer, turn.phone, turn.messages[0]) if fresh else latest

    def _begin(self, customer: str, phone: str | None, first: Message) -> Row:
        previous = self._latest.get(customer)
        if previous is not None and previous["resolution_status"] == "open":
            self._change(previous, resolution_status=judgements.ending(self._messages_of(previous)))
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
        if outcome.key in self._archived:
            return
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
            before = row["accepted_at"]
            edited = outcome.author == "agent" and before is not None and outcome.at < before
            words = row["content"] if edited else without_titles(outcome.text, row["buttons"])
            # A person may edit what they wrote in the phone app: the newest words stay.
            accepted_at = max(before or outcome.at, outcome.at) if outcome.author == "agent" else before or outcome.at
            self._change(row, suppressed=False, accepted_at=accepted_at, content=words or row["content"])
        status = judgements.furthest(row["delivery_status"], outcome.outcome)
        self._change(row, delivery_status=status, error=outcome.error if status == "failed" else None)
        if outcome.message_id and row["message_id"] is None:
            self._change(row, message_id=outcome.message_id)
            self._by_wamid[outcome.message_id] = row
        self._settle_early(row)

    def _conversation_of(self, outcome: Outcome) -> Row:
        latest = self._latest.get(outcome.customer)
        stands = latest is not None and (
            outcome.author == "agent"
            or outcome.at - latest["ended_at"] <= judgements.IDLE
            or latest["resolution_status"] == "escalated"
        )
        if latest is not None and stands:
            return latest
        return self._begin(outcome.customer, outcome.phone, _spoken(outcome))

    def _apply_status(self, status: Status) -> None:
        row = self._messages.get(status.key or "") or self._by_wamid.get(status.message_id)
        self._charge(status, row)
        if status.key in self._archived:
            return
        if row is None:
            self._keep_early(status)
        elif row["role"] != "user":
            if row["message_id"] is None:
                self._change(row, message_id=status.message_id)
                self._by_wamid[status.message_id] = row
            self._set_status(row, status.status, status.error)

    def _charge(self, status: Status, row: Row | None) -> None:
        """Book what WhatsApp bills, each message once whatever number of statuses it has."""
        charge = status.charge
        if charge is None or charge_key(status.message_id) in self._charged:
            return
        self._charged.add(charge_key(status.message_id))
        feature = (row["feature"] or row["role"]) if row is not None else None
        booked = {"charge_key": charge_key(status.message_id), "at": status.at, "feature": feature, **asdict(charge)}
        self._insert("charges", booked)
        self.booked.append(booked)

    def _set_status(self, row: Row, status: str, error: str | None) -> None:
        reached = judgements.furthest(row["delivery_status"], status)
        if reached != row["delivery_status"] or row["suppressed"]:
            # A status proves that the message left, whatever we believed.
            self._change(
                row,
                delivery_status=reached,
                suppressed=False,
                error=(error or row["error"]) if reached == "failed" else None,
            )

    def _keep_early(self, status: Status) -> None:
        row = self._early.get(status.message_id)
        if row is None:
            row = {
                "message_id": status.message_id,
                "message_key": status.key,
                "status": status.status,
                "at": status.at,
                "error": status.error,
            }
            self._early[status.message_id] = row
            self._insert("early_statuses", row)
        else:
            reached = judgements.furthest(row["status"], status.status)
            self._change(row, status=reached, error=status.error or row["error"])

    def _settle_early(self, row: Row) -> None:
        early = self._early.pop(row["message_id"], None) if row["message_id"] else None
        if early is not None:
            self._applied_early.add(early["message_id"])
            self._set_status(row, early["status"], early["error"])

    def _escalate(self, conversation: Row, reason: str | None, priority: str | None) -> None:
        self._change(
            conversation,
            resolution_status="escalated",
            escalation_reason=conversation["escalation_reason"] or reason,
            escalation_priority=conversation["escalation_priority"] or priority,
        )


def _spoken(outcome: Outcome) -> Message:
    """The message that an outcome tells of, when nothing else told of it (an agent's words, an apology)."""
    return Message(key=outcome.key, role=outcome.author, content=outcome.text, sent_at=outcome.at)
