"""What the workbench finds wrong with responses in several languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import yaml_files
from components.language.answered import WRITTEN
from workbench.checks import yaml_lines
from workbench.checks.findings import Finding
from workbench.checks.variations import wrong_variations

DOMAIN_FILE = Path(__file__).resolve().parents[3] / "domain.yml"
DOMAIN = yaml_files.read(DOMAIN_FILE)
HINGLISH = [{"type": "slot", "name": "language", "value": "hinglish"}]
YES = {"title": "Yes", "payload": "/affirm"}
ENGLISH = {"text": "Order #{number} is here.", "buttons": [YES]}


def found(tmp_path: Path, *entries: dict[str, Any], name: str = "utter_test") -> list[Finding]:
    slots = {"language": {"type": "categorical", "values": ["en", "hinglish", "hi"]}}
    file = tmp_path / "domain.yml"
    file.write_text(yaml.safe_dump({"slots": slots, "responses": {name: list(entries)}}))
    return wrong_variations(yaml_lines.read(file))


def hinglish(text: str = "Order #{number} yahan hai.", **other: Any) -> dict[str, Any]:
    return {"condition": HINGLISH, "text": text, "buttons": [{"title": "Haan", "payload": "/affirm"}], **other}


@pytest.mark.slow
def test_every_response_of_the_domain_is_written_in_every_language_that_is_answered_in() -> None:
    """With the placeholders and buttons of the first variation."""
    assert [f"{one.place}: {one.problem}; {one.remedy}" for one in wrong_variations(yaml_lines.read(DOMAIN_FILE))] == []
    (greeting,) = [entries for name, entries in DOMAIN["responses"].items() if name == "utter_greet"]
    written = {entry["condition"][0]["value"] for entry in greeting if entry.get("condition")}
    assert written == set(WRITTEN) - {"en"}


def test_every_language_that_is_not_answered_in_is_told_so_and_can_call_a_person() -> None:
    said = {
        name: {entry["condition"][0]["value"] for entry in entries if entry.get("condition")}
        for name, entries in DOMAIN["responses"].items()
    }
    others = said["utter_language_unavailable"] - set(WRITTEN)
    assert others >= {"de", "fr", "id", "ar", "it", "tr", "nl", "ru"}
    assert others <= said["utter_handoff_connecting"] & said["utter_handoff_connecting_out_of_hours"]
    assert others | set(WRITTEN) == set(DOMAIN["slots"]["language"]["values"])


def test_variations_that_say_the_same_are_fine(tmp_path: Path) -> None:
    assert found(tmp_path, ENGLISH, hinglish()) == []


@pytest.mark.parametrize(("variation", "problem"), [
    (hinglish("Order yahan hai."), "the variation for hinglish lacks {number}"),
    (hinglish("Order #{number} {when} yahan hai."), "{when}, which the first one has not"),
    (hinglish(condition=[{"type": "slot", "name": "language", "value": "hindlish"}]), "nobody has language hindlish"),
    (hinglish(condition=[{"type": "slot", "name": "lang", "value": "hinglish"}]), "the slot lang, which there is not"),
    (hinglish(buttons=[{"title": "Nahi", "payload": "/deny"}]), "other buttons"),
])
def test_a_variation_that_does_not_fit_is_found(tmp_path: Path, variation: dict[str, Any], problem: str) -> None:
    findings = found(tmp_path, ENGLISH, variation)
    assert any(problem in one.problem and one.blocking and one.place == "domain.yml:2" for one in findings)


def test_a_response_for_nobody_else_is_found(tmp_path: Path) -> None:
    assert any("every variation has a condition" in one.problem for one in found(tmp_path, hinglish()))


@pytest.mark.parametrize(("name", "blocking"), [("utter_plain", False), ("utter_order_piece_due", True)])
def test_a_missing_variation_blocks_only_where_sentences_would_mix_languages(
    tmp_path: Path, name: str, blocking: bool
) -> None:
    slots = {"language": {"values": ["en", "hinglish"]}}
    file = tmp_path / "domain.yml"
    responses = {"utter_test": [ENGLISH, hinglish()], name: [{"text": "soon"}]}
    file.write_text(yaml.safe_dump({"slots": slots, "responses": responses}))
    (finding,) = wrong_variations(yaml_lines.read(file))
    assert finding.problem.startswith(name)
    assert finding.blocking is blocking
