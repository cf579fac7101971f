"""Mistakes in config.yml and in data/escalation, which designers edit: each names the place and the remedy."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

import yaml_files
from components.escalation.examples import REASONS, EscalationDataError, read_folder, training_examples
from components.escalation.settings import CONFIG, POLICY, EscalationConfigError, parse


def entry() -> dict[str, Any]:
    policies = yaml_files.read(CONFIG)["policies"]
    return copy.deepcopy(next(policy for policy in policies if policy["name"] == POLICY))


def broken(**changes: Any) -> dict[str, Any]:
    return {**entry(), **changes}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (broken(thresholds=None), "thresholds: reasons with values are expected"),
        (broken(thresholds={"complaint": 0.5}), "thresholds.refund_request: None is not between 0 and 1"),
        (broken(thresholds={**entry()["thresholds"], "complaint": 1.2}), "thresholds.complaint: 1.2"),
        (broken(thresholds={**entry()["thresholds"], "anger": 0.5}), "thresholds.anger: it is not a reason"),
        (broken(unresolved_turns="three"), "unresolved_turns: 'three' is not a whole number"),
        (broken(unresolved_turns=0), "unresolved_turns: 0"),
        (broken(always={"complaint": "court"}), "always.complaint: no list of words"),
        (broken(signals={}), "signals: it is not known"),
    ],
)
def test_mistake_in_the_settings_names_place_and_remedy(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EscalationConfigError) as error:
        parse(settings)
    assert message in str(error.value)
    assert "Remedy: " in str(error.value)


def test_settings_fit_one_screen() -> None:
    assert len(CONFIG.read_text().splitlines()) <= 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data/escalation/pt").mkdir(parents=True)
    (tmp_path / "data/nlu").mkdir()
    (tmp_path / "data/escalation/refund_request.yml").write_text(
        "escalation:\n- reason: refund_request\n  intents: [request_refund]\n  examples: |\n    - my money back\n"
    )
    (tmp_path / "data/escalation/none.yml").write_text(
        "escalation:\n- reason: none\n  intents: [thank]\n"
        "\n# calm\n- reason: none\n  examples: |\n    - refund rules?\n"
    )
    (tmp_path / "data/escalation/pt/refund_request.yml").write_text(
        "escalation:\n- reason: refund_request\n  examples: |\n    - quero reembolso\n"
    )
    (tmp_path / "data/nlu/general.yml").write_text(
        "nlu:\n- intent: request_refund\n  examples: |\n    - refund [10234](order_number) now\n    - refund rules?\n"
    )
    return tmp_path


def test_examples_of_every_language_and_of_whole_intents_are_learnt(project: Path) -> None:
    learnt = {example.text: example.label for example in training_examples(project)}
    assert learnt == {
        "my money back": "refund_request",
        "refund rules?": "none",
        "quero reembolso": "refund_request",
        "refund 10234 now": "refund_request",
    }


def test_every_example_knows_its_line(project: Path) -> None:
    places = {message.text: message.line for message in read_folder(project)[0]}
    assert places == {"my money back": 5, "refund rules?": 8, "quero reembolso": 4}


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("escalation:\n- reason: anger\n  examples: |\n    - grr\n", 2, "'anger' is not a reason"),
        ("escalation:\n- reason: none\n  examples: |\n    grr\n", 4, '"grr" is not read'),
        ("escalation:\n- reason: none\n  example: |\n    - grr\n", 2, "'example' is not known"),
        ("nlu:\n- intent: greet\n", 1, "there is no list `escalation`"),
        ("escalation:\n- [\n", 3, "this is not valid YAML"),
        ("escalation:\n- reason: none\n  examples: |\n    - my money back\n", 4, '"my money back" is'),
    ],
)
def test_mistake_in_an_example_file_names_file_line_and_remedy(
    project: Path, content: str, line: int, problem: str
) -> None:
    (project / "data/escalation/wrong.yml").write_text(content)
    with pytest.raises(EscalationDataError, match=r"Remedy: "):
        training_examples(project)
    mistake = read_folder(project)[2][0]
    assert problem in mistake.problem
    assert {mistake.file.name: mistake.line} == {"wrong.yml": line} or mistake.file.name == "refund_request.yml"


def test_shipped_examples_teach_every_reason() -> None:
    messages, intents, mistakes = read_folder()
    assert not mistakes
    assert {message.reason for message in messages} == {*REASONS, "none"}
    assert intents["request_human"] == "human_requested"
