"""Labelling in the terminal, with a scripted designer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from conversation_log.storage.database import LogUnavailable
from workbench.review.command import Review
from workbench.review.reviewed import Reviewed
from workbench.review.terminal import talk

Designer = Callable[..., str]


@pytest.fixture
def designer(review: Review, monkeypatch: pytest.MonkeyPatch) -> Designer:
    """Types these lines, then the input ends; returns what the screen showed."""

    def types(*lines: str) -> str:
        script: Iterator[str] = iter(lines)
        console = Console(record=True, width=200)

        def answer(*args: object, **options: object) -> str:
            try:
                return next(script)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr(console, "input", answer)
        talk(review, console)
        return console.export_text()

    return types


def added(general: Path) -> list[str]:
    return [line.strip() for line in general.read_text().splitlines() if line.startswith("    - ")]


def test_a_number_labels_the_group_and_the_next_comes(designer: Designer, general: Path, review: Review) -> None:
    shown = designer("2", "out_of_scope")
    assert "4 messages" in shown
    assert "rejected 3, uncertain 1" in shown
    assert "(3 times)" in shown
    assert f'added "parcel kidhar reh gaya bhai" as check_order_status: {general}:9' in shown
    assert added(general) == [
        "- hi", "- where is my order", "- parcel kidhar reh gaya bhai", "- tell me a joke",
        "- <b>gift wrap</b> available?",
    ]  # fmt: skip
    assert "2 phrases added" in review.summary()


def test_a_star_labels_every_wording_that_is_shown_without_its_writer(designer: Designer, general: Path) -> None:
    designer("check *")
    assert "- Bhai parcel kidhar reh gaya 10234 call" in added(general)


def test_h_puts_it_into_the_held_out_set(designer: Designer, project: Path, general: Path) -> None:
    before = general.read_text()
    designer("h 2")
    assert general.read_text() == before
    assert "- parcel kidhar reh gaya bhai" in (project / "tests/nlu/held_out/from_the_log.yml").read_text()


def test_a_wording_can_be_corrected_before_it_is_added(designer: Designer, general: Path) -> None:
    designer("e", "parcel kidhar hai, mera number 98765 43210", "2")
    assert "- parcel kidhar hai, mera" in added(general)


def test_wordings_can_be_taken_one_by_one(designer: Designer, general: Path) -> None:
    shown = designer("o", "2", "1", "q")
    assert 'added "Bhai parcel kidhar reh gaya 10234 call" as greet' in shown
    assert len(added(general)) == 5


@pytest.mark.parametrize("mistake", ["77", "0", "blorf", "h", "*"])
def test_what_is_no_intent_is_asked_again_and_nothing_is_written(
    designer: Designer, general: Path, mistake: str
) -> None:
    before = general.read_text()
    shown = designer(mistake, "q")
    assert "neither a number nor the name" in shown
    assert general.read_text() == before


def test_a_refusal_shows_where_the_other_stands_and_asks_again(designer: Designer, general: Path) -> None:
    shown = designer("e", "tell me a joke!", "1", "q")
    assert f"{general}:11" in shown
    assert "ambiguous" in shown


def test_what_was_labelled_or_skipped_is_not_shown_again_but_what_was_not_reached_is(
    designer: Designer, review: Review, project: Path
) -> None:
    designer("s")
    later = Reviewed(project / "reviewed.json")
    reached, not_reached = review.clusters
    assert not any(later.is_new(case.text, case.at) for case in reached.cases)
    assert all(later.is_new(case.text, case.at) for case in not_reached.cases)
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert later.is_new(reached.wordings[0].text, tomorrow)


def test_what_is_remembered_holds_no_word_of_a_customer(designer: Designer, project: Path) -> None:
    designer("s", "s")
    stored = (project / "reviewed.json").read_text().lower()
    assert not any(word in stored for word in ("parcel", "kidhar", "gift", "45678"))


def test_old_memories_are_forgotten(tmp_path: Path) -> None:
    reviewed = Reviewed(tmp_path / "reviewed.json")
    long_ago = datetime(2026, 1, 1, tzinfo=timezone.utc)
    reviewed.remember(["hello"], long_ago)
    reviewed.remember(["parcel"], long_ago + timedelta(days=200))
    assert Reviewed(tmp_path / "reviewed.json").is_new("hello", long_ago)
    assert not Reviewed(tmp_path / "reviewed.json").is_new("PARCEL", long_ago)


def test_two_who_review_at_the_same_time_both_are_remembered(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    one, other = Reviewed(tmp_path / "reviewed.json"), Reviewed(tmp_path / "reviewed.json")
    one.remember(["hello"], now)
    other.remember(["parcel"], now)
    later = Reviewed(tmp_path / "reviewed.json")
    assert not later.is_new("hello", now - timedelta(hours=1))
    assert not later.is_new("parcel", now - timedelta(hours=1))


@pytest.mark.parametrize("damage", ["{", "[]", '{"a": 1}', '{"a": "soon"}'])
def test_a_damaged_memory_is_named_with_the_remedy(tmp_path: Path, damage: str) -> None:
    (tmp_path / "reviewed.json").write_text(damage)
    with pytest.raises(LogUnavailable, match=r"reviewed\.json is damaged\. Remove it"):
        Reviewed(tmp_path / "reviewed.json")
