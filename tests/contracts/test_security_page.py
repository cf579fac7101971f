"""`docs/security.md` claims nothing that no test holds: each line names tests, and each of them is there."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "---" not in line and not line.endswith("| test |")
]
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@lru_cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / "tests" / file
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_there_are_threats() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_every_threat_names_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 3, "what could be tried, what stands against it, test"
    named = TEST.findall(row[2])
    assert named, "a line without a test does not count"
    assert not TEST.sub("", row[2]).strip(" ,"), "nothing but tests in the last column"
    assert not [f"{file}::{name}" for file, name in named if name not in names_in(file)]
