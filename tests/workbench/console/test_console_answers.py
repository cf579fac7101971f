"""What the console says of a turn, and what it makes of a message for the project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import yaml_files
from components.escalation.reasons import Opinion
from components.escalation.settings import EscalationSettings
from connectors.message_bus import keys
from conversation_log.storage import database
from tests.conversation_log.conftest import NOON, Log, sent_record, status_record, turn_record
from workbench.console import copies, decisions, journey, live, what_if

CUSTOMER = "919876543210"


@pytest.fixture
def log(redis_url: str, tmp_path: Path) -> Iterator[Log]:
    """An empty log."""
    found = Log(redis_url, f"sqlite:///{tmp_path}/log.db")
    database.migrate(found.engine)
    yield found
    found.engine.dispose()


def answered(log: Log, wamid: str = "wamid.1", text: str = "where is my order", **more: Any) -> None:
    """A turn in the log and in the tracker, as the product leaves it."""
    record = turn_record(wamid, text, **more)
    log.put(record, sent_record(f"{wamid}:1", f"{wamid}.out", NOON + 0.6), status_record(f"{wamid}.out", "read"))
    log.write()
    user = {
        "event": "user", "timestamp": NOON + 0.3, "text": text, "metadata": {"wamid": wamid},
        "parse_data": {
            "intent": {"name": "check_order_status", "confidence": 0.93},
            "entities": [{"entity": "order_number", "value": "10234"}],
            "intent_ranking": [{"name": name, "confidence": 1 / place} for place, name in enumerate("abcd", 1)],
        },
    }  # fmt: skip
    events = [
        user,
        {"event": "slot", "name": "order_number", "value": "10234", "timestamp": NOON + 0.5},
        {"event": "slot", "name": "language", "value": "en", "timestamp": NOON + 0.5},
        {"event": "action", "name": "action_check_order_status", "policy": "RulePolicy", "confidence": 1.0,
         "timestamp": NOON + 0.5},
        {"event": "bot", "text": "It arrives tomorrow.", "timestamp": NOON + 0.5,
         "metadata": {"utter_action": "utter_order_status_shipped", "order_number": "10234",
                      "policy_sections": ["delivery#When"]}},
    ]  # fmt: skip
    before = [{"event": "slot", "name": "language", "value": "en", "timestamp": NOON}]
    for chunk in (before, events):
        log.redis.rpush(keys.tracker(CUSTOMER)[0], json.dumps(chunk))


def test_a_turn_is_told_from_the_webhook_to_the_log(log: Log) -> None:
    answered(log)
    (turn,) = journey.turns(log.engine, log.redis, CUSTOMER, decisions.sources)
    assert [(name, round(at - NOON, 1)) for name, at in turn["timings"]] == [
        ("webhook in the inbox", 0.2), ("read", 0.3), ("action done", 0.5), ("accepted by Graph", 0.6),
    ]  # fmt: skip
    assert [name for name, _ in turn["understood"]["intents"]] == ["a", "b", "c"]
    assert turn["understood"]["entities"] == [["order_number", "10234"]]
    assert turn["slots"] == [["order_number", "–", "10234"]], "the language was known before"
    assert turn["person"] is None
    (decided,) = turn["decided"]
    assert (decided["policy"], decided["action"]) == ("RulePolicy", "action_check_order_status")
    assert any("data/rules/order_status.yml:" in source for source in decided["sources"])
    (reply,) = turn["replies"]
    assert (reply["topic"], reply["status"], reply["wamid"]) == ("order_status", "read", "wamid.1.out")
    assert (reply["sections"], reply["facts"]["order_number"]) == (["delivery#When"], "10234")


def test_without_redis_or_after_a_day_the_log_alone_speaks(log: Log) -> None:
    answered(log)
    (turn,) = journey.turns(log.engine, None, CUSTOMER, decisions.sources)
    assert turn["understood"]["intents"] == [["check_order_status", 0.93]]
    assert (turn["decided"], turn["replies"][0]["status"]) == ([], "read")
    assert journey.turns(log.engine, log.redis, "919999999999", decisions.sources) == []


def test_a_call_for_a_person_shows_its_reason_and_nearest_examples(log: Log) -> None:
    answered(log)
    sheet = [["like the example (complaint)", "you are thieves"]]
    slots = {"escalation_reason": "complaint", "escalation_priority": "CRITICAL", "escalation_sheet": sheet}
    events = [{"event": "slot", "name": name, "value": value, "timestamp": NOON} for name, value in slots.items()]
    called = {"event": "action", "name": "action_escalate", "policy": "EscalationPolicy", "timestamp": NOON}
    log.redis.rpush(keys.tracker(CUSTOMER)[0], json.dumps([*events, called]))
    (turn,) = journey.turns(log.engine, log.redis, CUSTOMER, decisions.sources)
    assert turn["person"] == {"reason": "complaint", "priority": "CRITICAL", "why": sheet}


def test_the_rules_between_an_intent_and_an_action_are_named_with_their_lines() -> None:
    (greets,) = decisions.sources("greet", "utter_greet", "RulePolicy", "")
    assert greets.startswith("“Customer greets” (data/rules/general.yml:")
    assert decisions.sources("greet", "utter_goodbye", "RulePolicy", "") == []
    assert decisions.sources("greet", "utter_greet", "MemoizationPolicy", "") == []
    asks = partial(decisions.sources, "check_order_status", "action_check_order_status", "RulePolicy")
    assert ["in the middle of" in source for source in asks("")] == [False]
    assert any("in the middle of an order change" in source for source in asks("order_change_form"))


@pytest.mark.parametrize("kind", copies.KINDS)
def test_a_copied_message_is_yaml_without_personal_data_and_is_kept_once(kind: str, tmp_path: Path) -> None:
    turn = {
        "text": "call me on +91 98765 43210: where is 10234?", "decided": [{"action": "action_check_order_status"}],
        "understood": {"intents": [["check_order_status", 0.9]]},
    }  # fmt: skip
    label = {"phrase": "check_order_status", "escalation": "none", "story": ""}[kind]
    text = copies.as_yaml(kind, label, turn)
    assert "98765" not in text
    path = copies.keep(tmp_path / "review", kind, text)
    copies.keep(tmp_path / "review", kind, text)
    (section,) = yaml_files.read(path).values()
    assert len(section) == 1


@pytest.mark.parametrize(("kind", "label", "text"), [
    ("phrase", "", "hi"), ("escalation", "anger", "hi"), ("poem", "x", "hi"), ("story", "", "hi"),
    ("phrase", "greet", "+919876543210"),
])  # fmt: skip
def test_what_cannot_be_copied_is_refused_with_the_reason(kind: str, label: str, text: str) -> None:
    with pytest.raises(copies.CannotCopy):
        copies.as_yaml(kind, label, {"text": text, "decided": [], "understood": {"intents": []}})


def test_the_figures_count_what_ended_and_name_the_slowest(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from settings import load

    answered(log, "wamid.1", "where is my order", at=NOON)
    monkeypatch.setattr(live, "DEFAULT_PERIOD", live.timedelta(days=100_000 // 4))
    found = live.figures(load(), log.engine)
    assert (found["conversations"], found["ended"], found["replies"], found["failed"]) == (1, 1, 1, 0)
    assert found["slowest"] == [[pytest.approx(0.4), "where is my order"]]
    assert json.dumps(found)


class ByWords:
    """A reader for whom what holds "money" is a refund, the surer the more often."""

    def read(self, text: str) -> Opinion:
        sure = min(0.9, 0.4 * text.count("money"))
        return Opinion({"refund_request": sure, "none": 1 - sure})

    def nearest(self, text: str) -> list[tuple[str, str]]:
        return []


def test_a_threshold_is_tried_on_the_logged_messages_before_it_is_changed(log: Log) -> None:
    answered(log, "wamid.1", "money back", intent="nlu_fallback")
    answered(log, "wamid.2", "money money!", at=NOON + 9, intent="nlu_fallback")
    reader = what_if.Remembering(ByWords())
    names = ("complaint", "refund_request", "human_requested", "frustration")
    today = EscalationSettings(dict.fromkeys(names, 0.3), 3, {})
    found = what_if.compared(log.engine, reader, today, {"refund_request": 0.6})
    assert (found["messages"], found["calls_today"], found["calls_then"]) == (2, 2, 1)
    assert [(one["text"], one["today"], one["then"]) for one in found["changed"]] == [
        ("money back", "refund_request", None)
    ]
    with pytest.raises(ValueError, match="between 0 and 1"):
        what_if.compared(log.engine, reader, today, {"refund_request": 3.0})
