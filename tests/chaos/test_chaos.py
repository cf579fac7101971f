"""The short version of the chaos run: real processes, killed at random moments."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import PROJECT_ROOT
from tests.chaos.harness import Plan, run


@pytest.mark.chaos
@pytest.mark.model
@pytest.mark.timeout(600)
async def test_every_message_is_answered_once_and_in_order_whatever_is_killed(tmp_path: Path) -> None:
    if not list((PROJECT_ROOT / "models").glob("*.tar.gz")):
        pytest.skip("no model in models/: run `make train` first")
    outcome = await run(Plan(customers=40, messages=4, seconds=20, kills=3), tmp_path)
    print(outcome.summary())
    assert outcome.unanswered == []
    assert outcome.doubled == []
    assert outcome.disordered == []
    assert outcome.left == 0
