"""Many invented conversations, straight into the warm tier: for reports and for what has to stay fast."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Engine

from conversation_log.storage.tables import conversations, messages

SCENES = (
    ("check_order_status", "utter_order_status_shipped", "order_status", "where is my order {n}"),
    ("check_order_status", "utter_order_status_not_found", "order_status", "track order number {n} please"),
    ("ask_return_policy", "utter_return_policy_answer", "return_policy", "can i return a kurta after washing it"),
    ("ask_return_policy", "utter_return_policy_answer", "return_policy", "how long do refunds take"),
    ("greet", "utter_greet", "smalltalk", "hello"),
    ("thank", "utter_thank_welcome", "smalltalk", "thanks a lot"),
    ("out_of_scope", "utter_clarification_out_of_scope", "clarification", "do you stock curtain rods for {n} windows"),
    ("nlu_fallback", "utter_clarification_first", "clarification", "i cannot log in to my account since {n} days"),
    ("nlu_fallback", "utter_clarification_second", "clarification", "coupon SAVE{n} is not applied at checkout"),
)
REASONS = (("refund_request", "HIGH"), ("complaint", "CRITICAL"), ("human_requested", "HIGH"), ("frustration", "HIGH"),
           ("repeated_failure", "MEDIUM"))  # fmt: skip
WEIGHTS = (30, 5, 14, 10, 14, 10, 4, 4, 3)


def plant(engine: Engine, count: int, first: datetime, days: int, seed: int = 1) -> None:
    """`count` conversations that begin within `days` after `first`."""
    rng = random.Random(seed)
    for start in range(0, count, 2000):
        begins = [first + timedelta(days=days * rng.random() ** 0.8) for _ in range(min(2000, count - start))]
        talks = [_conversation(rng, began) for began in begins]
        with engine.begin() as connection:
            connection.execute(insert(conversations), [row for row, _ in talks])
            connection.execute(insert(messages), [message for _, said in talks for message in said])


def _conversation(rng: random.Random, began: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    log_id = str(uuid.UUID(int=rng.getrandbits(128)))
    customer = f"91{rng.randrange(6_000_000_000, 9_999_999_999)}"
    escalated = rng.random() < 0.12
    reason, priority = rng.choice(REASONS) if escalated else (None, None)
    said: list[dict[str, Any]] = []
    at = began
    turns = rng.choice((1, 1, 2, 2, 3, 4, 6))
    for turn in range(1, turns + 1):
        said += _turn(rng, log_id, turn, at, len(said), escalated and turn == turns)
        at += timedelta(seconds=rng.randrange(10, 240))
    if escalated and rng.random() < 0.7:
        at += timedelta(seconds=rng.expovariate(1 / 900))
        said.append(_message(log_id, len(said) + 1, turns, "agent", "I have looked into it for you.", at))
    ended = max(message["sent_at"] for message in said)
    row = {
        "log_id": log_id, "session_id": log_id, "customer_id": customer, "customer_phone": f"+{customer}",
        "started_at": began, "ended_at": ended, "resolution_status": "escalated" if escalated else "open",
        "escalation_reason": reason, "escalation_priority": priority, "returned_at": None, "bot_version": "0.1.0",
        "model": "20261101", "total_turns": turns, "total_messages": len(said),
    }  # fmt: skip
    return row, said


def _turn(
    rng: random.Random, log_id: str, turn: int, at: datetime, position: int, escalated: bool
) -> list[dict[str, Any]]:
    intent, response, feature, words = rng.choices(SCENES, WEIGHTS)[0]
    text = words.format(n=rng.randrange(10000, 99999))
    asked = _message(log_id, position + 1, turn, "user", text, at, intent=intent,
                     confidence=min(1.0, rng.betavariate(9 if feature != "clarification" else 2, 1.4)),
                     received_at=at)  # fmt: skip
    answered = at + timedelta(seconds=rng.lognormvariate(-1.2, 0.6))
    failed = rng.random() < 0.01
    llm = None
    if feature == "return_policy":
        llm = {"model": "claude-haiku-5-5", "verdict": rng.choice(["grounded", "grounded", "grounded", "extractive"]),
               "input_tokens": rng.randrange(900, 2000), "output_tokens": rng.randrange(40, 160)}  # fmt: skip
    reply = _message(
        log_id, position + 2, turn, "assistant", "An answer.", answered, accepted_at=answered, escalated=escalated,
        response="utter_handoff_connecting" if escalated else response,
        feature="escalation" if escalated else feature, llm=llm,
        policy_pages=["return_window"] if llm else None,
        delivery_status="failed" if failed else rng.choice(["read", "read", "delivered", "sent"]),
        error="131026 Message undeliverable" if failed else None,
    )  # fmt: skip
    return [asked, reply]


def _message(
    log_id: str, position: int, turn: int, role: str, content: str, at: datetime, **more: Any
) -> dict[str, Any]:
    empty = dict.fromkeys(column.name for column in messages.columns)
    key = f"{log_id}.{position}"
    return empty | {
        "message_key": key, "log_id": log_id, "position": position, "turn": turn, "role": role, "content": content,
        "sent_at": at, "escalated": False, "suppressed": False, "message_id": f"wamid.{key}", "kind": "text",
    } | more  # fmt: skip
