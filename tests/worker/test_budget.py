"""The month's budget in `/metrics`, also while the conversation database is not there (yet)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import settings
from conversation_log.storage import database
from worker import budget


@pytest.mark.parametrize(("stands", "said"), [(True, set()), (False, {"worker.budget.unknown error=OperationalError"})])
async def test_a_new_installation_is_silent_until_it_has_tables_and_a_database_that_is_away_is_told(
    stands: bool, said: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/{'' if stands else 'nowhere/'}log.db"
    told, stop = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(budget, "RETRY_S", 0.02)
    monkeypatch.setattr(budget, "show", lambda _: told.set())
    found = settings.load({"STATE_DIR": str(tmp_path), "CONVERSATION_DATABASE_URL": url}, env_file=tmp_path / "none")
    running = asyncio.create_task(budget.run(found, stop))
    await asyncio.sleep(0.2)
    assert not told.is_set()
    if stands:
        engine = database.connect(url)
        database.migrate(engine)
        engine.dispose()
        await asyncio.wait_for(told.wait(), 10)
    stop.set()
    await running
    assert {record.getMessage() for record in caplog.records if record.name == "worker.budget"} == said
