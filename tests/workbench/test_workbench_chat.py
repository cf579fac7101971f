"""What the terminal chat shows of a turn."""

from __future__ import annotations

from rich.text import Text

from workbench.chat import explain


def shown(events: list[dict[str, object]]) -> str:
    return "\n".join(Text.from_markup(line).plain for line in explain(events))


def test_a_turn_shows_what_was_understood_who_acted_and_what_was_said() -> None:
    parsed = {
        "intent_ranking": [{"name": "check_order_status", "confidence": 0.981}, {"name": "greet", "confidence": 0.01}],
        "entities": [{"entity": "order_number", "value": "10234"}],
        "language": "hinglish",
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
    assert "check_order_status 0.98, greet 0.01 #10234 hinglish" in text
    assert "RulePolicy 1.00 → action_check_order_status" in text
    assert "order_number = 10234" in text
    assert "#10234 is [on] its way" in text
    assert "[Talk to a person]" in text
    assert "action_listen" not in text
