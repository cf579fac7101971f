"""The domain fits the code: every action exists, every response is used and can be filled, everything fits WhatsApp."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasa_sdk import Action

import actions
import yaml_files
from connectors.whatsapp.rendering.messages import problems

ROOT = Path(__file__).resolve().parents[2]
DOMAIN: dict[str, Any] = yaml_files.read(ROOT / "domain.yml")


@functools.cache
def code() -> str:
    """All that may send a response."""
    rooms = ("actions", "connectors", "handoff", "components", "worker")
    return "\n".join(path.read_text() for room in rooms for path in sorted((ROOT / room).rglob("*.py")))


@functools.cache
def dialogue() -> str:
    """All that designers write."""
    return "\n".join(path.read_text() for path in sorted((ROOT / "data").rglob("*.yml")))


def all_subclasses(base: type) -> Iterator[type]:
    for child in base.__subclasses__():
        yield child
        yield from all_subclasses(child)


def our_actions() -> dict[str, type]:
    for module in pkgutil.walk_packages(actions.__path__, "actions."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {}
    for action in all_subclasses(Action):
        if action.__module__.startswith("actions.") and not getattr(action, "__abstractmethods__", None):
            found[action().name()] = action
    return found


def variants() -> list[tuple[str, dict[str, Any]]]:
    return [(name, variant) for name, entries in DOMAIN["responses"].items() for variant in entries]


def test_every_action_in_the_domain_has_code_and_the_other_way_round() -> None:
    named = {action if isinstance(action, str) else next(iter(action)) for action in DOMAIN["actions"]}
    assert named == set(our_actions())


def test_every_response_that_code_or_dialogue_names_is_in_the_domain() -> None:
    named = set(re.findall(r"\butter_[a-z_]+[a-z]\b", code() + dialogue())) - {"utter_message", "utter_action"}
    prefixes = {name for name in named if any(known.startswith(name + "_") for known in DOMAIN["responses"])}
    assert named - prefixes <= set(DOMAIN["responses"]), "add them to domain.yml, or correct the name"


def test_every_response_is_used() -> None:
    """By its whole name, or by a stem to which code adds the outcome (`utter_order_status_` + status)."""
    stems = set(re.findall(r"utter_[a-z_]+_(?=[\"'{])", code()))
    stems |= {f"utter_{topic}_piece_" for topic in re.findall(r"Pieces\(\w+, \"(\w+)\"\)", code())}
    used = set(re.findall(r"\butter_[a-z_]+[a-z]\b", code() + dialogue()))
    used |= {f"utter_ask_{slot}" for form in DOMAIN["forms"].values() for slot in form["required_slots"]}
    unused = {
        name for name in DOMAIN["responses"] if name not in used and not any(name.startswith(stem) for stem in stems)
    }
    assert not unused, "nothing says these; delete them from domain.yml or use them"


def test_rules_and_stories_name_only_intents_and_actions_of_the_domain() -> None:
    known_intents = {intent if isinstance(intent, str) else next(iter(intent)) for intent in DOMAIN["intents"]}
    for intent in re.findall(r"^\s*- intent: (\S+)", dialogue(), re.MULTILINE):
        if "data/nlu" not in intent:
            assert intent in known_intents, intent


def test_responses_fit_whatsapp() -> None:
    assert [(name, told) for name, variant in variants() if (told := problems(variant))] == []
    # WhatsApp shows three buttons at the most.
    assert [name for name, variant in variants() if len(variant.get("buttons", [])) > 3] == []


def test_buttons_lead_to_intents() -> None:
    known = {intent if isinstance(intent, str) else next(iter(intent)) for intent in DOMAIN["intents"]}
    unknown = [
        (name, button["title"], button["payload"])
        for name, variant in variants()
        for button in variant.get("buttons", [])
        if button["payload"].removeprefix("/").split("{")[0] not in known
    ]
    assert unknown == []


def test_variants_of_a_response_have_the_same_placeholders() -> None:
    """Code fills every placeholder whichever variant is chosen."""
    for name, entries in DOMAIN["responses"].items():
        placeholders = [set(re.findall(r"{(\w+)}", str(entry.get("text", "")))) for entry in entries]
        assert all(found == placeholders[0] for found in placeholders), name


def test_replies_are_short() -> None:
    """Under 300 characters wherever they can be: two in a hundred may be longer."""
    long = [name for name, variant in variants() if len(variant.get("text", "")) > 300]
    assert len(long) <= max(1, len(variants()) // 50), long
