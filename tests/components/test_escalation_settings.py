"""The phrase language, and mistakes in config.yml, which designers edit: each names the place and the remedy."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml

from components.escalation import Signals, assess
from components.escalation_phrases import PhraseError, PhraseIndex, filled_in, split_phrases
from components.escalation_settings import CONFIG, POLICY, EscalationConfigError, parse


def entry() -> dict[str, Any]:
    policies = yaml.safe_load(CONFIG.read_text())["policies"]
    return copy.deepcopy(next(policy for policy in policies if policy["name"] == POLICY))


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("consumer court", "see you in consumer court", True),
        ("consumer court", "consumer goods in court", False),
        ("cheat*", "you cheaters", True),
        ("want my? refund", "i want my refund", True),
        ("want my? refund", "i want refund", True),
        ("give|send .. back", "send it all back", True),
        ("give|send .. back", "send it one two three back", False),
        ("order .. again|from_you", "never order anything from you", True),
        ("order .. again|from_you", "order from me", False),
        ("money .. back", "i have money . back soon", False),
        ("paisa", "mere pese do", True),
    ],
)
def test_phrase_finds_what_it_says(phrase: str, text: str, found: bool) -> None:
    from components.text.message_text import folded

    index = PhraseIndex({"owner": [phrase]})
    assert bool(list(index.find(folded(text).replace(".", " . ").split()))) == found


@pytest.mark.parametrize("phrase", [".. back", "back ..", "a? b", "x*y", "ab*", "a|", "a||b"])
def test_phrase_that_cannot_be_read_is_quoted(phrase: str) -> None:
    with pytest.raises(PhraseError, match=re.escape(repr(phrase))):
        PhraseIndex({"owner": [phrase]})


def test_words_are_filled_in_and_an_unknown_name_is_reported() -> None:
    assert filled_in("give {money} back", {"money": "cash|coins"}) == "give cash|coins back"
    with pytest.raises(PhraseError, match=r"{monye} is not among `words`\. Known: money"):
        filled_in("give {monye} back", {"money": "cash"})


def test_phrases_are_split_at_commas_and_line_ends() -> None:
    assert split_phrases("a b, c,\n d\n") == ["a b", "c", "d"]


def broken(**changes: Any) -> dict[str, Any]:
    return {**entry(), **changes}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (broken(signals=None), "signals: names with values are expected"),
        (broken(thresholds={"complaint": 1}), "thresholds.refund_request: None is not a positive number"),
        (broken(thresholds={**entry()["thresholds"], "complaint": -1}), "thresholds.complaint"),
        (broken(most={"problem": 1}), "is not a positive number"),
        (broken(unresolved_turns=0), "unresolved_turns: 0 is not a whole number"),
        (broken(signals={"x": {"weights": {"complaint": 1}}}), "signals.x: a signal is either computed or has phrases"),
        (broken(signals={"shouting": {"weights": {"complaint": 1}, "phrases": "a"}}), "remove its phrases"),
        (broken(signals={"x": {"weights": {"anger": 1}, "phrases": "a"}}), "signals.x.weights: anger: 1"),
        (broken(signals={"x": {"weights": {"complaint": "much"}, "phrases": "a"}}), "complaint: 'much'"),
        (broken(signals={"x": {"weigths": {}, "phrases": "a"}}), "'weigths' is not known"),
        (broken(signals={"x": {"weights": {"complaint": 1}, "phrases": "{nobody}"}}), "{nobody} is not among"),
        (broken(tresholds={}), "tresholds: it is not known"),
        (broken(thresholds={**entry()["thresholds"], "complaint": 10}), "10 is not a positive number up to 5"),
        (broken(thresholds={**entry()["thresholds"], "complaint": float("nan")}), "thresholds.complaint: nan"),
        (broken(thresholds={**entry()["thresholds"], "complaint": True}), "thresholds.complaint: True"),
        (broken(thresholds={**entry()["thresholds"], "anger": 1}), "thresholds.anger: it is not known"),
        (broken(most={**entry()["most"], "grievence": 1}), "most.grievence: it is not known. Remedy: remove it, or"),
        (broken(unresolved_turns=300), "unresolved_turns: 300 is not a whole number from 1 to 20"),
        (
            broken(signals={"x": {"weights": {"complaint": 11}, "phrases": "a"}}),
            "complaint: 11. Remedy: write a number",
        ),
        (broken(signals={"x": {"weights": {"complaint": 1}, "phrases": "a", "family": ["b"]}}), "signals.x.family"),
        (broken(signals={"not_there": {"weights": {"complaint": 1}}}), "there is no signal 'there' that it denies"),
        (broken(signals={"x": {"weights": {"complaint": 1}, "phrases": "ab*"}}), "'ab*': write at least 3 letters"),
        (broken(words="person: me"), "words: names with values are expected"),
    ],
)
def test_mistake_names_file_place_and_remedy(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EscalationConfigError) as raised:
        parse(settings)
    assert "config.yml" in str(raised.value)
    assert message in str(raised.value)


def test_designers_change_takes_effect() -> None:
    changed = entry()
    changed["signals"]["threat"]["phrases"] += ", wizard council"
    text = "I will write to the wizard council"
    assert not assess(Signals(text)).escalate
    assert assess(Signals(text), parse(changed)).reason == "complaint"
    changed["thresholds"]["complaint"] = 2.0
    assert not assess(Signals(text), parse(changed)).escalate
