"""The documentation names functions and files that exist: whoever renames one fixes the page in the same commit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.contracts import source_tree
from tests.contracts.source_tree import ROOMS, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "handoff/README.md"])
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
JOURNEYS = ("Webhook → reply", "Agent's comment → bubble")
MAX_FUNCTIONS = 30
MAX_FILES = 12  # in bold: those to read first
MADE_BY_PEOPLE = {"tests/nlu/held_out/from_the_log.yml"}  # or at run time


def section(title: str) -> str:
    """The text under a heading of the architecture page."""
    return ARCHITECTURE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def named_functions(text: str) -> list[str]:
    """Backticked `module.function` names of ours."""
    names = re.findall(r"`([a-z_]+(?:\.\w+)+)`", text)
    return [name for name in names if name.split(".")[0] in ROOMS]


def defines(path: Path, names: list[str]) -> bool:
    """Whether a module defines a function, or a class with that method."""
    body: list[ast.stmt] = source_tree.tree(path).body
    for name in names:
        found = [node for node in body if getattr(node, "name", None) == name]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return bool(names)


@pytest.mark.parametrize("title", JOURNEYS)
def test_every_function_that_a_journey_names_exists(title: str) -> None:
    names = named_functions(section(title))
    assert len(names) >= 10
    for name in names:
        parts = name.split(".")
        ends = [end for end in range(1, len(parts)) if ".".join(parts[:end]) in source_tree.modules()]
        assert ends, f"there is no module of {name}"
        module = source_tree.modules()[".".join(parts[: ends[-1]])]
        assert defines(module, parts[ends[-1] :]), f"there is no {name}"


@pytest.mark.parametrize("title", JOURNEYS)
def test_a_journey_can_be_read_in_one_sitting(title: str) -> None:
    assert len(set(named_functions(section(title)))) <= MAX_FUNCTIONS
    first = re.findall(r"\*\*`([a-z_.]+)\.\w+(?:\.\w+)?`\*\*", section(title))
    assert 8 <= len({name for name in first if name in source_tree.modules()}) <= MAX_FILES


def test_every_room_stands_on_the_page() -> None:
    rooms = section("Rooms")
    assert [room for room in ROOMS if f"{room}/" not in rooms] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z_][\w./-]*/[\w.-]+\.(?:py|yml|md|lua|txt|tsv))`", text))
    named |= set(re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text))
    written_here = set(re.findall(r"^```\w+\n# (\S+)$", text, re.MULTILINE))
    for name in sorted(named - MADE_BY_PEOPLE - written_here):
        if not name.startswith(("STATE_DIR/", "var/")) and "/xx." not in name and "<" not in name:
            assert (ROOT / name).exists() or (page.parent / name).exists(), f"{page.name} names {name}"
