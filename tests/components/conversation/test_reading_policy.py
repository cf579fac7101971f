"""When an LLM is asked what a message means, and that it is asked once and below what is decided without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    SessionStarted,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

import yaml_files
from components.conversation.context import NONE, ORDER, context_of
from components.conversation.reading_policy import READ, ReadingPolicy, is_unsure
from components.escalation.policy import EscalationPolicy
from components.language.policy import _BELOW_ESCALATION, LanguagePolicy

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = Domain.from_dict({"intents": ["check_order_status"], "actions": [READ, "action_clarify"], "responses": {}})
SURELY = {"intent": {"name": "check_order_status", "confidence": 0.97}, "after": ORDER, "readings_differ": False}
HARDLY = {**SURELY, "intent": {"name": "nlu_fallback", "confidence": 0.3}}
LISTEN = ActionExecuted("action_listen")


def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, provider: str = "anthropic") -> ReadingPolicy:
    for name, value in {"LLM_PROVIDER": provider, "ANTHROPIC_API_KEY": "k", "LLM_READER": asked}.items():
        monkeypatch.setenv(name, value)
    storage = LocalModelStorage.create(tmp_path)
    return ReadingPolicy(ReadingPolicy.get_default_config(), storage, Resource("p"), ExecutionContext(GraphSchema({})))


def said(parsed: dict[str, Any], text: str = "kya scene", **metadata: Any) -> list[Event]:
    return [LISTEN, UserUttered(text, parsed["intent"], [], {**parsed, "text": text}, metadata=metadata)]


def asks(asked: ReadingPolicy, *events: Event) -> bool:
    tracker = DialogueStateTracker.from_events("c", list(events), domain=DOMAIN)
    prediction = asked.predict_action_probabilities(tracker, DOMAIN)
    return prediction.max_confidence > 0


@pytest.mark.parametrize(("setting", "sure", "unsure"), [
    ("never", False, False), ("unsure", False, True), ("always", True, True),
])
def test_setting_says_when_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, sure: bool, unsure: bool
) -> None:
    asked = policy(tmp_path, monkeypatch, setting)
    assert asks(asked, *said(SURELY)) is sure
    assert asks(asked, *said(HARDLY)) is unsure


def test_nobody_is_asked_without_an_llm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not asks(policy(tmp_path, monkeypatch, "always", provider="none"), *said(HARDLY))


def test_a_message_is_read_once_and_buttons_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = policy(tmp_path, monkeypatch, "always")
    again = [*said(HARDLY), ActionExecuted(READ), UserUtteranceReverted(), *said(HARDLY, llm={"verdict": "timeout"})]
    assert not asks(asked, *again)
    assert not asks(asked, *said(HARDLY), ActionExecuted("action_clarify"))
    assert not asks(asked, *said(SURELY, "/check_order_status"))
    assert not asks(asked, *said(HARDLY, "  "))


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, False),
    ({"intent": {"name": "check_order_status", "confidence": 0.5}}, True),
    ({"intent": {"name": "nlu_fallback", "confidence": 0.99}, "after": NONE}, True),
    ({"intent": {"name": "out_of_scope", "confidence": 0.9}}, True),
    ({"intent": {"name": "out_of_scope", "confidence": 0.9}, "after": NONE}, False),
    ({"readings_differ": True}, True),
    ({"readings_differ": True, "after": NONE}, False),
])
def test_unsure_is_what_the_own_reading_may_have_wrong(changed: dict[str, Any], expected: bool) -> None:
    assert is_unsure({**SURELY, **changed}) is expected


def test_person_and_language_are_decided_before_and_rules_after() -> None:
    configured = {entry["name"].rpartition(".")[2]: entry for entry in
                  yaml_files.read(ROOT / "config.yml")["policies"]}  # fmt: skip
    reading = configured["ReadingPolicy"]["priority"]
    assert 6 < reading < _BELOW_ESCALATION < configured["EscalationPolicy"]["priority"]
    assert reading == ReadingPolicy.get_default_config()["priority"]
    assert EscalationPolicy.get_default_config()["priority"] < LanguagePolicy.get_default_config()["priority"]


def test_message_that_was_taken_back_ages_nothing() -> None:
    answered = [SessionStarted(), *said(SURELY)]
    taken_back = [*said(HARDLY), ActionExecuted(READ), UserUtteranceReverted(), *said(HARDLY, llm={})]
    answered += [BotUttered("x", metadata={"utter_action": "utter_order_status_shipped"})]
    assert context_of([*answered, *taken_back * 2]) == ORDER
