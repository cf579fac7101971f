"""What customers wrote is not in the log lines about a database that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

import settings
from actions.escalation import ActionEscalate
from conversation_log.storage import database as log_database
from handoff.storage.database import Database, HandoffUnavailable, Unstorable
from handoff.takeover.service import HandoffService
from handoff.takeover.state_machine import Request, open_takeover
from tests.handoff.samples import always_open, request
from worker import __main__ as worker_main
from worker import archiver

CANARY = "my neighbour Leela stole the parcel"


def spoil(db: Database) -> None:
    """Let the next takeover fail at the moment it is written, with the customer's words in hand."""
    open_takeover(db, request("another customer", "wamid.0"))
    with db.write() as connection:
        connection.execute(sqlalchemy.text("CREATE UNIQUE INDEX only_one ON handoff_takeovers (state)"))


def with_canary(**values: Any) -> Request:
    return request(transcript=((1.0, "customer", CANARY),), **values)


def test_a_failed_takeover_does_not_quote_the_customer(sql_url: str, caplog: pytest.LogCaptureFixture) -> None:
    db = Database(sql_url)
    spoil(db)
    with pytest.raises(HandoffUnavailable) as raised:
        open_takeover(db, with_canary())
    logging.getLogger("any").error("failed", exc_info=raised.value)
    assert str(raised.value) == "IntegrityError", "it failed where it should"
    assert isinstance(raised.value, Unstorable), "no outage"
    assert CANARY not in caplog.text
    db.close()


def test_an_error_of_the_logs_database_hides_what_was_written(sql_url: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = log_database.connect(sql_url)
    with pytest.raises(SQLAlchemyError) as raised, log_database.writing(engine) as connection:
        connection.execute(sqlalchemy.text("INSERT INTO nowhere (words) VALUES (:words)"), {"words": CANARY})
    logging.getLogger("any").error("failed", exc_info=raised.value)
    assert "nowhere" in caplog.text
    assert CANARY not in caplog.text
    engine.dispose()


async def test_the_action_that_calls_a_person_does_not_quote_the_customer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher

    caplog.set_level(logging.DEBUG)
    db = Database(f"sqlite:///{tmp_path}/handoff.db")
    spoil(db)
    events = [{"event": "user", "text": CANARY, "metadata": {}, "timestamp": 1.0}]
    tracker = Tracker("91", {}, {"text": CANARY, "metadata": {"wamid": "w"}}, events, False, None, {}, "action_listen")
    await ActionEscalate(HandoffService(db, always_open())).run(CollectingDispatcher(), tracker, {"responses": {}})
    assert "handoff.takeover.failed error=IntegrityError" in caplog.text
    assert CANARY not in caplog.text
    db.close()


def fails_with_words() -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise SQLAlchemyError(f"DETAIL: Failing row contains ({CANARY})") from error

    return fail


@pytest.mark.parametrize("job", ["any job", "archiver"])
async def test_a_job_of_the_worker_that_fails_is_named_without_its_errors_words(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = settings.load({"STATE_DIR": str(tmp_path)}, env_file=tmp_path / "none")
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)
    monkeypatch.setattr(archiver, "AFTER_START_S", 0.01)
    monkeypatch.setattr(archiver, "archive_once", fails_with_words())

    async def fails(*_: Any) -> None:
        fails_with_words()()

    await worker_main.run(found, stop, {"job": archiver.run if job == "archiver" else fails})
    assert "error=SQLAlchemyError" in caplog.text
    assert CANARY not in caplog.text
