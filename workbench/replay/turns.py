"""A logged conversation as what is played again: the customer's messages that the assistant was asked about.

What a person read, a reaction or an edit was no question to the assistant and is left out; what was read as one burst
is one message again. A message without words cannot be sent again: its picture is not in the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversation_log.model.judgements import feature_of
from conversation_log.model.records import moment
from workbench.replay.answers import Answer, Said, is_by_llm

TAPS = ("button_reply", "list_reply")
_WORDLESS = ("[", "/")
BURST_S = 5.0
# What the channel says by itself, whichever turn the log shows it below.
_NOT_OF_A_TURN = ("utter_handoff_ended", "utter_handoff_receipt", "utter_handoff_cancelled_by_customer",
                  "utter_handoff_settled")  # fmt: skip

Record = Mapping[str, Any]


@dataclass(frozen=True)
class LoggedTurn:
    """One message of a customer, and what the log says came of it. `tapped`: the text is the title of a button."""

    text: str
    answer: Answer
    tapped: bool = False
    by_llm: bool = False
    """An LLM was asked what the message means."""


@dataclass(frozen=True)
class LoggedConversation:
    """`phone`: E.164, for the look-up of orders. `left_out`: messages without words."""

    customer: str
    phone: str | None
    began: datetime
    ended: datetime
    model: str
    turns: tuple[LoggedTurn, ...]
    escalated: bool
    left_out: int = 0


def read(record: Record) -> LoggedConversation:
    """What of a record of the log (`conversation_log.schema.json`) is played."""
    turns, left_out = [], 0
    for messages, replies in _asked(record["messages"]):
        text = "\n".join(str(one["content"]) for one in messages)
        last = messages[-1]
        if not text.strip() or text.startswith(_WORDLESS):
            left_out += 1
            continue
        turns.append(LoggedTurn(text, _answer(last, replies), last.get("kind") in TAPS, is_by_llm(last.get("llm"))))
    return LoggedConversation(
        str(record["customer_id"]),
        record.get("customer_phone"),
        moment(record["timestamp_start"]),
        moment(record["timestamp_end"]),
        str((record.get("session_metadata") or {}).get("model") or ""),
        tuple(turns),
        record["resolution_status"] == "escalated",
        left_out,
    )


def _asked(messages: Sequence[Record]) -> Iterator[tuple[list[Record], list[Record]]]:
    """The messages that were read as one, and what was said until the next one; of those with an intent."""
    waiting: list[Record] = []
    for place, message in enumerate(messages):
        if message["role"] != "user":
            continue
        waiting = [one for one in waiting if _together(one, message)] + [message]
        if message.get("intent_detected"):
            yield waiting, list(_replies(messages[place + 1 :]))
            waiting = []


def _together(one: Record, other: Record) -> bool:
    came = [message.get("received_at") for message in (one, other)]
    return all(came) and 0 <= (moment(came[1]) - moment(came[0])).total_seconds() <= BURST_S


def _replies(following: Sequence[Record]) -> Iterator[Record]:
    for message in following:
        if message["role"] == "user":
            return
        if message["role"] == "assistant" and not str(message.get("response") or "").startswith(_NOT_OF_A_TURN):
            yield message


def _answer(message: Record, replies: Sequence[Record]) -> Answer:
    said = tuple(
        Said(
            str(one.get("response") or ""),
            str(one.get("feature_used") or feature_of(one.get("response"))),
            str(one["content"]),
            tuple(map(str, one.get("policy_pages") or ())),
            is_by_llm(one.get("llm")),
        )
        for one in replies
        if one.get("response") or one.get("feature_used")
    )
    return Answer(str(message["intent_detected"]), said, any(one.get("escalated") for one in replies))
