"""A figure changed on one page and left on another is pointed at, with file and line; nothing else is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from workbench.checks.changed_figures import changed_figures, figures

WINDOW = "# Return window\n\nYou have 30 days. A fee of ₹1,500 applies.\n"
STEPS = "# Steps\n\nPack it.\n\nSend it within the 30-day window, with 2 photos.\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A committed shop of two pages."""
    (tmp_path / "policy_kb").mkdir()
    (tmp_path / "policy_kb/window.md").write_text(WINDOW)
    (tmp_path / "policy_kb/steps.md").write_text(STEPS)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, timeout=20)
    return tmp_path


def change(shop: Path, old: str, new: str) -> list[str]:
    page = shop / "policy_kb/window.md"
    page.write_text(page.read_text().replace(old, new))
    return [f"{found.place} {found.problem}" for found in changed_figures(shop)]


def test_the_other_page_is_named_with_its_line_and_what_the_first_says_now(shop: Path) -> None:
    (found,) = change(shop, "30 days", "15 days")
    assert found == "policy_kb/steps.md:5 30 day is written here, and window.md says 15 day instead now"


@pytest.mark.parametrize(
    ("old", "new"), [("You have", "You get"), ("30 days. ", ""), ("₹1,500", "₹900"), ("30 days", "30 whole days")]
)
def test_nothing_is_said_of_what_stands_nowhere_else_or_is_no_other_figure(shop: Path, old: str, new: str) -> None:
    assert change(shop, old, new) == []


def test_a_clean_copy_and_a_folder_without_git_are_silent(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert list(changed_figures(shop)) == []
    bare = tmp_path_factory.mktemp("bare")
    (bare / "policy_kb").mkdir()
    (bare / "policy_kb/a.md").write_text(WINDOW)
    assert list(changed_figures(bare)) == []


def test_a_figure_is_a_number_with_what_it_counts() -> None:
    assert figures("30 days, 30-day, Rs. 500, ₹500, 12%, 1,000 items; 10234 and v2.1") >= {
        ("30", "day"), ("500", "₹"), ("12", "%"), ("1000", "item"),
    }  # fmt: skip
    assert figures("Order 10234.") == set()
