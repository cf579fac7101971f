"""The action that calls a person: heard at once, honest when it fails, then silent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import func, select

from actions.escalation import ActionEscalate
from actions.skill import services
from handoff.configuration import HandoffConfiguration
from handoff.jobs.ticket import request_of
from handoff.storage.database import Database
from handoff.storage.tables import takeovers
from handoff.takeover.opening_hours import BusinessHours, Span
from handoff.takeover.service import HandoffService

PIECES = {
    "utter_handoff_piece_opens_today": [{"text": "{hour} today"}],
    "utter_handoff_piece_opens_tomorrow": [{"text": "{hour} tomorrow"}],
    "utter_handoff_piece_opens_on_day": [{"text": "{hour} on {day}"}],
}


def tracker(wamid: str = "wamid.1", **slots: Any) -> Tracker:
    metadata = {
        "wamid": wamid, "customer": "919876543210", "phone": "+919876543210", "profile_name": "Asha",
        "timestamp": 1_800_000_000, "typed": "this is fraud",
    }  # fmt: skip
    message = {"text": "this is fraud", "metadata": metadata, "intent": {"name": "file_complaint"}}
    events = [{"event": "user", "text": "this is fraud", "metadata": metadata, "timestamp": 1.0}]
    return Tracker("919876543210", slots, message, events, False, None, {}, "action_listen")


async def run(service: HandoffService, of: Tracker) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    events = await ActionEscalate(service).run(dispatcher, of, {"responses": PIECES})
    return dispatcher.messages, events


@pytest.fixture(autouse=True)
def _without_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drafted: embedding the shop's pages would take seconds."""

    async def none() -> None:
        return None

    monkeypatch.setattr(services, "knowledge_when_built", none)


@pytest.fixture
def service(db: Database, configuration: HandoffConfiguration) -> HandoffService:
    return HandoffService(db, configuration)


async def test_the_customer_hears_at_once_that_a_person_will_come_with_a_ticket_number(service: HandoffService) -> None:
    messages, events = await run(service, tracker())
    assert [(m["response"], m["reference"]) for m in messages] == [("utter_handoff_connecting", "T-1001")]
    assert {"event": "active_loop", "timestamp": None, "name": None} in events
    assert {"event": "followup", "timestamp": None, "name": "action_listen"} in events


async def test_a_turn_that_runs_again_says_the_same(service: HandoffService, db: Database) -> None:
    first, _ = await run(service, tracker())
    again, _ = await run(service, tracker())
    assert first == again
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(takeovers)).scalar_one() == 1


async def test_what_the_turn_knows_travels_with_the_request(service: HandoffService, db: Database) -> None:
    slots = {
        "escalation_reason": "refund_request", "escalation_priority": "HIGH", "order_number": "10234",
        "escalation_sheet": [{"signal": "refund_words", "weight": 2.0}],
    }  # fmt: skip
    await run(service, tracker(**slots))
    with db.read() as connection:
        request = request_of(connection.execute(select(takeovers)).one())
    assert (request.reason, request.priority, request.order_number) == ("refund_request", "HIGH", "10234")
    assert (request.phone, request.profile_name) == ("+919876543210", "Asha")
    assert request.score_breakdown == (("refund_words", "2.0"),)
    assert request.transcript == ((1.0, "customer", "this is fraud"),)


@pytest.mark.parametrize("score_breakdown", [None, {}, {"a": 1}, ["a"], [["a", 1, 2]], "text", [{}], [[]], 7])
async def test_no_shape_of_a_score_breakdown_keeps_a_person_away(service: HandoffService, score_breakdown: Any) -> None:
    messages, _ = await run(service, tracker(escalation_sheet=score_breakdown))
    assert messages[0]["response"] == "utter_handoff_connecting"


async def test_a_customer_who_already_waits_is_told_so(service: HandoffService) -> None:
    await run(service, tracker())
    messages, _ = await run(service, tracker("wamid.2"))
    assert [(m["response"], m["reference"]) for m in messages] == [("utter_handoff_already_waiting", "T-1001")]


@pytest.mark.parametrize(("days", "words"), [(0, " today"), (1, " tomorrow"), (3, " on ")])
async def test_out_of_hours_the_customer_learns_when_people_are_back(
    db: Database, configuration: HandoffConfiguration, days: int, words: str
) -> None:
    zone = ZoneInfo(f"Etc/GMT{dt.datetime.now(dt.timezone.utc).hour - 11:+d}")  # where it is about noon now
    now = dt.datetime.now(zone)
    minute = (now.hour + 1) * 60 if days == 0 else 9 * 60
    hours = BusinessHours(zone, {(now.weekday() + days) % 7: (Span(minute, minute + 30),)})
    messages, _ = await run(HandoffService(db, replace(configuration, hours=hours)), tracker())
    assert messages[0]["response"] == "utter_handoff_connecting_out_of_hours"
    assert words in messages[0]["opens"]


async def test_without_a_database_nobody_is_promised(configuration: HandoffConfiguration) -> None:
    away = HandoffService(Database("postgresql+psycopg2://nobody@127.0.0.1:1/none"), configuration)
    messages, events = await run(away, tracker(escalation_reason="complaint"))
    assert [m["response"] for m in messages] == ["utter_handoff_unavailable"]
    assert {"event": "slot", "timestamp": None, "name": "escalation_reason", "value": None} in events


async def test_a_message_without_any_channel_still_gets_a_person(service: HandoffService) -> None:
    bare = Tracker("shell", {}, {"text": "agent", "message_id": "m1"}, [], False, None, {}, "action_listen")
    messages, _ = await run(service, bare)
    assert messages[0]["response"] == "utter_handoff_connecting"
