"""A designer's mistakes in a copy of the project: each is named with file and line, and with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.checks.all_checks import file_findings
from workbench.checks.findings import Finding
from workbench.nlu.phrases import PROJECT_ROOT

FEW_LINES = 30
DESIGNERS = ("domain.yml", "config.yml", "handoff.yml", "shop.yml", "policy_kb", "data/rules", "data/order_numbers",
             "data/follow_ups/orders.yml", "tests/stories")  # fmt: skip
GREETS = "- rule: Customer greets\n  steps:\n  - intent: greet\n  - action: utter_greet\n"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own files, with a few phrases of each topic."""
    root = tmp_path_factory.mktemp("project")
    for name in DESIGNERS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (PROJECT_ROOT / name).is_dir() else shutil.copy)(PROJECT_ROOT / name, root / name)
    (root / "data" / "nlu").mkdir()
    for path in (PROJECT_ROOT / "data" / "nlu").glob("*.yml"):
        few = path.read_text(encoding="utf-8").splitlines(keepends=True)[:FEW_LINES]
        (root / "data" / "nlu" / path.name).write_text("".join(few), encoding="utf-8")
    return root


Break = Callable[[str, str, str], list[Finding]]


@pytest.fixture
def broken(unbroken: Path, tmp_path: Path) -> Break:
    """Replaces a text of a file (or adds one at its end), and checks the project."""

    def breaks(file: str, old: str, new: str) -> list[Finding]:
        root = tmp_path / "copy"
        shutil.copytree(unbroken, root)
        source = (root / file).read_text(encoding="utf-8") if (root / file).exists() else ""
        assert old in source
        (root / file).write_text(source.replace(old, new, 1) if old else source + new, encoding="utf-8")
        return file_findings(root)

    return breaks


def line_of(file: str, text: str) -> int:
    """Where the project's own file has a text."""
    rows = (PROJECT_ROOT / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, row in enumerate(rows, 1) if text in row)


@pytest.mark.slow
def test_the_project_itself_has_no_mistakes() -> None:
    assert [f"{one.place} {one.problem}" for one in file_findings() if one.blocking] == []


GENERAL, STATUS = "data/rules/general.yml", "data/rules/order_status.yml"
MISTAKES = {
    "a response that nobody wrote": (
        GENERAL, "utter_goodbye", "utter_goodby", "missing response", "- action: utter_goodbye", "utter_goodbye?"),
    "an action that nobody wrote": (
        STATUS, "action_check_order_status\n\n", "action_chek_order_status\n\n", "unknown action",
        "- action: action_check_order_status", "action_check_order_status?"),
    "an intent that the domain does not know": (
        GENERAL, "intent: goodbye", "intent: good_bye", "unknown intent", "intent: goodbye", "goodbye?"),
    "a slot that the domain does not know": (
        "tests/stories/order_status.yml", "awaiting_order_number: true", "awaiting_number: true", "unknown slot",
        "- slot_was_set:", "awaiting_order_number?"),
    "a form that the domain does not know": (
        "data/rules/order_changes.yml", "active_loop: order_change_form", "active_loop: change_form", "unknown form",
        "active_loop: order_change_form", "order_change_form?"),
    "an entity that the domain does not know": (
        "tests/stories/order_status.yml", '- order_number: "10240"', '- number: "10240"', "unknown entity",
        "- intent: inform_order_number", "order_number?"),
    "a follow-up to something unknown": (
        "data/follow_ups/orders.yml", "  after: [order]", "  after: [ordr]", "bad follow-up", None, "order"),
    "a follow-up of an intent that the domain does not know": (
        "data/follow_ups/orders.yml", "- intent: ask_courier", "- intent: ask_currier", "unknown intent", None,
        "ask_courier?"),
    "an offer that yes does not answer": (
        "domain.yml", '{title: "Yes, please", payload: /request_human}',
        '{title: "Yes, please", payload: /cancel_order}', "offer that nothing answers", None,
        "only tells"),
    "a response without text": (
        "domain.yml", '  - text: "Bye for now! Write to me whenever you need us."', '  - text: ""',
        "response without text", "Bye for now!", "- text:"),
    "a response without variants": (
        "domain.yml", "responses:\n", "responses:\n  utter_empty:\n", "response without text", None, "- text:"),
    "a button that is too long": (
        "domain.yml", "{title: Track my order,", "{title: Track my order right now,", "does not fit WhatsApp",
        "{title: Track my order,", "shorten"),
    "four buttons": (
        "domain.yml", "    - {title: Talk to a person, payload: /request_human}\n",
        "    - {title: Talk to a person, payload: /request_human}\n    - {title: Thanks, payload: /thank}\n",
        "does not fit WhatsApp", None, "leave some out"),
    "eleven buttons": (
        "domain.yml", "    - {title: Talk to a person, payload: /request_human}\n",
        "".join(f"    - {{title: Number {n}, payload: /thank}}\n" for n in range(11)), "does not fit WhatsApp", None,
        "shorten"),
    "a text that is too long": (
        "domain.yml", "Bye for now! ", "Bye for now! " + "really " * 600, "too long for WhatsApp", "Bye for now!",
        "shorten"),
    "a long text beside buttons": (
        "domain.yml", "Sorry, I didn't quite get that. ", "Sorry, I didn't quite get that. " + "really " * 150,
        "does not fit WhatsApp", "Sorry, I didn't quite get that", "shorten"),
    "a button with an unknown intent": (
        "domain.yml", "payload: /check_order_status", "payload: /track_order", "button leads nowhere",
        "payload: /check_order_status", "intent"),
    "a button without an intent": (
        "domain.yml", "payload: /check_order_status", "payload: track it", "button leads nowhere",
        "payload: /check_order_status", "/request_human"),
    "a misspelt key of a response": (
        "domain.yml", "    buttons:", "    button:", "unknown key", "    buttons:", "buttons?"),
    "a response written twice": (
        "domain.yml", "responses:\n", "responses:\n  utter_goodbye:\n  - text: Bye\n", "written twice", None, "rename"),
    "a tab": (
        "domain.yml", "  utter_goodbye:", "\tutter_goodbye:", "not YAML", "  utter_goodbye:", "spaces instead of tabs"),
    "a wrong indentation in the domain": (
        "domain.yml", "  utter_goodbye:\n", " utter_goodbye:\n", "not YAML", "  utter_goodbye:", "depth"),
    "a wrong indentation of a step": (
        GENERAL, "  - intent: greet\n  - action: utter_greet", "  - intent: greet\n    action: utter_greet",
        "wrong indentation", "- action: utter_greet", "`- `"),
    "steps that are not indented under their rule": (
        GENERAL, "  steps:\n  - intent: greet\n", "steps:\n  - intent: greet\n", "not YAML", None, "depth"),
    "a rule without steps": (
        GENERAL, "  - intent: greet\n  - action: utter_greet\n", "", "no steps", "  steps:", "steps"),
    "a response that counts as something unknown": (
        "domain.yml", "counts_as: retry, about: number}", "counts_as: retri, about: number}", "unknown word",
        "counts_as: retry, about: number}", "retry?"),
    "a response about something unknown": (
        "domain.yml", "about: declined}", "about: refused}", "unknown word", "about: declined}", "the words are order"),
    "a misspelt key of what a response counts as": (
        "domain.yml", "problem: true}", "problm: true}", "unknown word", "problem: true}", "problem?"),
    "what a response counts as, said of a later variation": (
        "domain.yml", "Happy to help! Just write if anything comes up.\"\n",
        "Happy to help! Just write if anything comes up.\"\n    metadata: {counts_as: asks}\n",
        "word that counts nowhere", None, "first one"),
    "a response of no topic": (
        "domain.yml", "  order_status: {feature", "  order_state: {feature", "no topic", None, "add its topic"),
    "a topic without a response": (
        "domain.yml", "  goodbye: {}\n", "  goodbye: {}\n  invoice: {}\n", "unused topic", None, "remove it"),
    "an intent with a misspelt key": (
        "domain.yml", "{meaning: only greets,", "{meanings: only greets,", "unknown word", "{meaning: only greets,",
        "meaning?"),
    "an intent with a topic that nothing tells": (
        "domain.yml", "{meaning: wants an order cancelled, takes: order}",
        "{meaning: wants an order cancelled, takes: order, topic: order}", "topic that is not told",
        "{meaning: wants an order cancelled", "take its topic away"),
    "an intent that takes something unknown": (
        "domain.yml", "{meaning: why an order is late, takes: order}", "{meaning: why an order is late, takes: number}",
        "unknown word", "{meaning: why an order is late", "the words are order"),
    "a misspelt section": (GENERAL, "rules:\n", "rule:\n", "unknown section", "rules:", "rules?"),
    "rules that contradict each other": (
        GENERAL, "", GREETS.replace("Customer greets", "Customer says hello").replace("utter_greet", "utter_goodbye"),
        "contradicting rules", None, "condition"),
    "the same rule twice": (GENERAL, "", GREETS.replace("greets", "says hello"), "same rule twice", None, "delete one"),
    "two rules of one name": (GENERAL, "", GREETS.replace("greet\n", "thank\n"), "named twice", None, "rename"),
    "a phrase that is not indented as the others": (
        "data/nlu/general.yml", "    - hello\n", "      - hello\n", "wrong indentation", "    - hello", "depth"),
    "phrases without the stroke": (
        "data/nlu/general.yml", "  examples: |\n", "  examples:\n", "wrong indentation", "  examples: |", "stroke"),
    "phrases of an unknown intent": (
        "data/nlu/general.yml", "intent: greet\n", "intent: great\n", "unknown intent", "intent: greet", "greet?"),
    "a marked entity that is unknown": (
        "data/nlu/order_status.yml", "where is my order 10234", "where is my order [10234](number)", "unknown entity",
        "where is my order 10234", "order_number"),
    "a phrase under two intents": (
        "data/nlu/general.yml", "    - hello\n", "    - where is my parcel\n", "two intents", None, "delete the other"),
    "a policy page without text": (
        "policy_kb/gifts.md", "", "# Gifts\n\n## Wrapping\n", "bad policy page", None, "Write its text"),
    "a comment that is never closed": (
        "policy_kb/exceptions.md", "## ", "<!-- a note\n\n## ", "bad policy page", None, "End it with"),
    "opening hours that end before they begin": (
        "shop.yml", 'monday: ["09:00-21:00"]', 'monday: ["21:00-09:00"]', "bad shop.yml", "monday:", "midnight"),
    "opening hours that are none": (
        "shop.yml", 'monday: ["09:00-21:00"]', 'monday: ["9 to 9"]', "bad shop.yml", "monday:", "09:00-21:00"),
    "a link for orders without its placeholder": (
        "handoff.yml", "order_link: null", "order_link: https://admin.example.com", "bad handoff.yml", "order_link:",
        "{order_number}"),
    "a misspelt setting of takeovers": (
        "handoff.yml", "coalesce_seconds", "colesce_seconds", "bad handoff.yml", "coalesce_seconds", "it knows"),
    "an escalation threshold that is no number": (
        "config.yml", "{complaint: 0.3,", "{complaint: high,", "bad escalation settings", None, "0.5"),
    "words that always call for an unknown reason": (
        "config.yml", "    complaint: [consumer court", "    complaints: [consumer court", "bad escalation settings",
        None, "complaint"),
    "a confidence above one": (
        "config.yml", "threshold: 0.4 ", "threshold: 40 ", "bad threshold", "threshold: 0.4", "from 0 to 1"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_remedy(broken: Break, mistake: str) -> None:
    file, old, new, kind, where, remedy = MISTAKES[mistake]
    found = [one for one in broken(file, old, new) if one.blocking]
    told = "\n".join(f"{one.kind} | {one.place} | {one.problem} | {one.remedy}" for one in found)
    of_kind = [one for one in found if one.kind == kind and (kind == "two intents" or one.place.startswith(f"{file}:"))]
    assert of_kind, told
    assert remedy in " ".join(one.remedy + one.problem for one in of_kind), told
    if where is not None:
        assert f"{file}:{line_of(file, where)}" in [one.place for one in of_kind], told
    assert len({one.kind for one in found}) <= 2, told


def test_rules_with_different_conditions_do_not_contradict_each_other(broken: Break) -> None:
    awaited = "  condition:\n  - slot_was_set:\n    - awaiting_order_number: true\n  steps:"
    inside = GREETS.replace("greets", "greets while a number is awaited").replace("  steps:", awaited)
    inside = inside.replace("utter_greet", "utter_capabilities")
    assert [one.problem for one in broken(GENERAL, "", inside) if one.blocking] == []
