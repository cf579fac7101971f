"""A question after another: read alone and behind the one before, and near to what was quoted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actions.knowledge.retrieval.follow_up import Before, FollowUp, Reading, numbers_of
from actions.knowledge.retrieval.follow_up_training import Played, fit, follow_ups, play, read_chats
from actions.knowledge.retrieval.retriever import Earlier, Retriever

WINDOW = "return_window#How many days there are"
ASKED = "how many days do I have to return clothing?"


@pytest.mark.parametrize("passages", [None, ((WINDOW, 0.9),), (("gone#Section", 0.9),), (), ((WINDOW, 7.0),)])
def test_whatever_was_answered_before_an_elliptic_question_goes_on_from_it(
    retriever: Retriever, passages: tuple[tuple[str, float], ...] | None
) -> None:
    finding = retriever.find("and furniture?", Earlier(ASKED, passages))
    assert finding.best is not None
    assert finding.best.key == WINDOW
    assert finding.question == f"{ASKED} and furniture?"
    assert 0 <= finding.score <= 1


def test_a_question_of_its_own_is_read_as_it_stands(retriever: Retriever) -> None:
    finding = retriever.find("can damaged final sale items be returned?", Earlier(ASKED, ((WINDOW, 0.9),)))
    assert finding.best is not None
    assert finding.best.page == "exceptions"


@pytest.mark.parametrize("before", ["", "…", "👍"])
def test_nothing_said_before_is_nothing_to_lean_on(retriever: Retriever, before: str) -> None:
    assert retriever.find(ASKED, Earlier(before)) == retriever.find(ASKED)


def test_a_page_of_a_single_section_can_be_followed_up(tmp_path: Path, embedder: object) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "faq.md").write_text("## How long I can park\nTwo hours.\n", encoding="utf-8")
    found = Retriever(folder, embedder).find("and at night?", Earlier("how long can I park"))  # type: ignore[arg-type]
    assert [section.page for section in found.sections] == ["faq"]


def test_chats_are_read_turn_by_turn_with_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "chats.tsv"
    file.write_text("# note\ncan it go back\tp#A|p#B\nand worn?\trefuse\n\nhow much\tp#B\n", encoding="utf-8")
    turns = follow_ups(read_chats(file, ["p#A", "p#B"]))
    assert [turn.after(before) for turn, before in turns] == ["can it go back", "can it go back and worn?", "how much"]
    assert [turn.right.tolist() for turn, _ in turns] == [[0.5, 0.5, 0], [0, 0, 1], [0, 1, 0]]


def test_chats_about_a_section_that_is_not_there_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "chats.tsv"
    file.write_text("can it go back\tp#C\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"chats\.tsv.*'p#C'"):
        read_chats(file, ["p#A"])


def test_what_is_fitted_learns_to_stay_with_the_section_quoted() -> None:
    dice = np.random.default_rng(3)
    texts, pages = np.eye(4, 384), np.array([0, 0, 1, 1])

    def turn() -> Played:
        before = Before(np.eye(384)[0].astype(np.float32), np.array([0.0, 0.9, 0.0, 0.0, 0.1]))
        alone, joined = (Reading(dice.normal(size=4), float(dice.uniform(0.3, 0.7))) for _ in range(2))
        seen = numbers_of(alone, joined, before, before.vector, 2, texts, pages)
        return Played(*seen, np.array([0.0, 1.0, 0.0, 0.0, 0.0]))

    def decide(table: np.ndarray, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.stack([np.zeros(table.shape[1] + 1), np.ones(table.shape[1] + 1), np.zeros(table.shape[1] + 1)])

    learnt = fit([turn() for _ in range(60)], decide)
    tried = turn()
    assert isinstance(learnt, FollowUp)
    assert learnt.choose(tried.sections, tried.question)[:-1].argmax() == 1


def test_a_chat_is_played_on_what_was_chosen_before(tmp_path: Path) -> None:
    file = tmp_path / "chats.tsv"
    file.write_text("a\tp#A\nb\tp#B\n\nc\tp#A\n", encoding="utf-8")
    readings = [Reading(np.array([2.0, 0.0]), 0.9), Reading(np.array([0.0, 1.0]), 0.2), Reading(np.zeros(2), 0.5)]
    vectors = np.eye(3, 384, dtype=np.float32)
    played = play(read_chats(file, ["p#A", "p#B"]), readings, readings, vectors, np.eye(2, 384), np.array([0, 0]))
    assert [seen is None for seen, _ in played] == [True, False, True]
    assert all(chosen.sum() == pytest.approx(1) for _, chosen in played)
