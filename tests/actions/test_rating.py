"""A tap on a face under the question how it was with a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.rating import SCORES, ActionTakeRating
from conversation_log.model.judgements import RATED, RATINGS
from handoff.storage.database import Database
from handoff.storage.tables import takeovers
from handoff.takeover.state_machine import open_takeover
from tests.handoff.samples import NOW, request

CUSTOMER = "919876543210"


async def taps(db: Database, intent: str, wamid: str) -> str:
    quoted = {"author": "assistant", "reference": "MG-1001"}
    metadata = {"customer": CUSTOMER, "wamid": wamid, "quoted": quoted}
    message = {"text": f"/{intent}", "intent": {"name": intent}, "metadata": metadata}
    dispatcher = CollectingDispatcher()
    of = Tracker(CUSTOMER, {}, message, [], False, None, {}, "action_listen")
    await ActionTakeRating(db).run(dispatcher, of, {"responses": {}})
    return str(dispatcher.messages[0]["response"])


@pytest.mark.parametrize(("intent", "score"), SCORES.items())
async def test_the_first_tap_counts_and_every_tap_is_thanked(tmp_path: Path, intent: str, score: int) -> None:
    db = Database(f"sqlite:///{tmp_path}/handoff.db")
    open_takeover(db, request(CUSTOMER), now=NOW)
    with db.write() as connection:
        connection.execute(takeovers.update().values(rating_for="returned:1"))
    assert await taps(db, intent, "wamid.1") == RATED
    assert await taps(db, intent, "wamid.1") == RATED, "its turn ran again"
    assert await taps(db, "rate_poor", "wamid.2") == "utter_handoff_rated_before"
    with db.read() as connection:
        assert connection.execute(select(takeovers.c.rating)).scalar_one() == score


def test_the_log_reads_the_answers_as_they_are_taken() -> None:
    assert RATINGS == SCORES
