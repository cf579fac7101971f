"""What was learnt of a shop's numbers is learnt once a machine, not once a process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.order_numbers.kept_weights import Learnt, kept

WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2)
LEARNT: Learnt = [({"word:order": 0, "length:5": 1, "naïve": 2}, WEIGHTS), ({}, WEIGHTS[:0])]


def never() -> Learnt:
    raise AssertionError("learnt again")


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "examples.yml").write_text("examples: |\n  - order [10234](order_number)\n")
    return tmp_path / "examples.yml"


def test_the_next_process_reads_what_the_first_learnt(examples: Path) -> None:
    kept(r"\d{5}", examples, lambda: LEARNT)
    again = kept(r"\d{5}", examples, never)
    assert [column for column, _ in again] == [column for column, _ in LEARNT]
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(again, LEARNT, strict=True))


def test_another_shape_and_other_examples_are_learnt_anew(examples: Path) -> None:
    kept(r"\d{5}", examples, lambda: LEARNT)
    with pytest.raises(AssertionError, match="learnt again"):
        kept(r"\d{6}", examples, never)
    examples.write_text("examples: |\n  - rs [500](money)\n")
    with pytest.raises(AssertionError, match="learnt again"):
        kept(r"\d{5}", examples, never)


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_replaced(examples: Path, damaged: bytes) -> None:
    kept(r"\d{5}", examples, lambda: LEARNT)
    (file,) = (examples.parent / "state" / "cache").glob("order-numbers-*.npz")
    file.write_bytes(damaged)
    assert kept(r"\d{5}", examples, lambda: LEARNT) is LEARNT
    assert len(kept(r"\d{5}", examples, never)) == len(LEARNT)


def test_where_nothing_can_be_written_it_is_learnt_each_time(examples: Path) -> None:
    (examples.parent / "state").write_text("a file in the folder's place")
    assert kept(r"\d{5}", examples, lambda: LEARNT) is LEARNT
    assert kept(r"\d{5}", examples, lambda: LEARNT) is LEARNT
