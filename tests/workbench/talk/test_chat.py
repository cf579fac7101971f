"""What the terminal chat shows of a turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from workbench.nlu.archives import NoTrainedModel, newest_archive
from workbench.talk.chat import chat, explain


def shown(events: list[dict[str, object]]) -> str:
    return "\n".join(Text.from_markup(line).plain for line in explain(events))


def test_a_turn_shows_what_was_understood_who_acted_and_what_was_said() -> None:
    parsed = {
        "intent_ranking": [{"name": "check_order_status", "confidence": 0.981}, {"name": "greet", "confidence": 0.01}],
        "entities": [{"entity": "order_number", "value": "10234"}],
    }
    text = shown(
        [
            {"event": "user", "parse_data": parsed},
            {"event": "action", "name": "action_check_order_status", "policy": "RulePolicy", "confidence": 1.0},
            {"event": "slot", "name": "order_number", "value": "10234"},
            {"event": "bot", "text": "#10234 is [on] its way", "data": {"buttons": [{"title": "Talk to a person"}]}},
            {"event": "action", "name": "action_listen", "policy": "RulePolicy", "confidence": 1.0},
        ]
    )
    assert "check_order_status 0.98, greet 0.01 #10234" in text
    assert "RulePolicy 1.00 → action_check_order_status" in text
    assert "order_number: – → 10234" in text
    assert "#10234 is [on] its way" in text
    assert "[Talk to a person]" in text
    assert "action_listen" not in text


def test_the_rule_behind_an_action_stands_with_its_place() -> None:
    events = [{"event": "action", "name": "utter_greet", "policy": "RulePolicy", "confidence": 1.0}]
    said = {"event": "user", "parse_data": {"intent": {"name": "greet"}}}
    assert "RulePolicy 1.00, “Customer greets” (data/rules/general.yml:" in shown([said, *events])


def test_only_slots_that_change_are_shown_above_the_reply_and_over_several_turns() -> None:
    slots: dict[str, object] = {}
    turn = [
        {"event": "action", "name": "action_check_order_status", "policy": None},
        {"event": "bot", "text": "Here it is."},
        {"event": "slot", "name": "order_number", "value": "10234"},
    ]
    first = [Text.from_markup(line).plain for line in explain(turn, slots=slots)]
    assert first == ["  form → action_check_order_status", "  order_number: – → 10234", "Here it is."]
    assert "order_number" not in "".join(explain(turn, slots=slots))
    gone = "".join(explain([{"event": "slot", "name": "order_number", "value": None}], slots=slots))
    assert "order_number: 10234 → –" in gone


def test_without_a_model_the_chat_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workbench.talk.chat.newest_archive", lambda: newest_archive(tmp_path))
    with pytest.raises(NoTrainedModel, match="run `make train`"):
        chat(Console(), "+919876543210")
