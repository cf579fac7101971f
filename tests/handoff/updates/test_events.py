"""Events of the shop: what counts as one, how often, until when, and when it is quiet."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handoff.storage.database import Database
from handoff.updates.events import KEEP_S, NotAnEvent, ShopEvent, ShopEvents, parse_event, quiet_until
from handoff.updates.opt_outs import OptOuts
from shop import Shop
from shop_updates import filled
from tests.handoff.samples import NOW, always_open

RIGHT = {"event_id": "e1", "type": "order.shipped", "order_id": "10234", "occurred_at": "2026-11-23T09:00:00Z"}


def event(event_id: str = "e1", occurred_at: float = NOW, order_id: str = "10234") -> ShopEvent:
    return ShopEvent(event_id, "order.shipped", order_id, occurred_at)


@pytest.mark.parametrize("occurred_at", ["2026-11-23T09:00:00Z", "2026-11-23T14:30:00+05:30", 1795424400, 1795424400.0])
def test_a_moment_may_be_written_as_systems_write_it(occurred_at: Any) -> None:
    found = parse_event(json.dumps({**RIGHT, "occurred_at": occurred_at}).encode(), now=2e9)
    assert found == ShopEvent("e1", "order.shipped", "10234", 1795424400.0)


def test_a_clock_that_is_ahead_does_not_make_an_event_the_newest_for_ever() -> None:
    assert parse_event(json.dumps({**RIGHT, "occurred_at": 3e9}).encode(), now=NOW).occurred_at == NOW


@pytest.mark.parametrize("wrong", [
    {"event_id": None}, {"event_id": ""}, {"event_id": "x" * 201}, {"event_id": {}}, {"type": "lost"}, {"type": []},
    {"order_id": ""}, {"order_id": "9" * 81}, {"order_id": None}, {"occurred_at": None}, {"occurred_at": "soon"},
    {"occurred_at": True}, {"occurred_at": -5}, {"occurred_at": 1e300}, {"occurred_at": []},
])  # fmt: skip
def test_what_is_no_event_of_the_contract_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAnEvent, match=next(iter(wrong))):
        parse_event(json.dumps({**RIGHT, **wrong}).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"[" * 100_000, b"7"])
def test_a_body_that_is_no_object_is_no_event(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        parse_event(body)


def test_an_event_counts_once_by_its_id(db: Database) -> None:
    events = ShopEvents(db)
    assert events.store(event(), NOW)
    assert not events.store(event(occurred_at=NOW + 5), NOW)
    assert events.due(NOW) == [event()]
    events.finish(event(), "notified", "91", NOW)
    assert not events.store(event(), NOW)
    assert events.due(NOW) == []


def test_a_newer_event_of_the_order_overtakes_an_older_one_and_no_other_orders(db: Database) -> None:
    events = ShopEvents(db)
    older, newer, other = event("a", NOW - 60), event("b", NOW), event("c", NOW + 60, "10999")
    for one in (older, newer, other):
        events.store(one, NOW)
    assert events.is_overtaken(older)
    assert not events.is_overtaken(newer)
    events.finish(newer, "notified", "91", NOW)
    assert events.is_overtaken(older)


def test_what_was_told_is_counted_by_customer_and_day(db: Database) -> None:
    events = ShopEvents(db)
    for number, (outcome, ago) in enumerate([("notified", 10), ("notified", 90_000), ("overtaken", 10)]):
        events.store(event(str(number)), NOW)
        events.finish(event(str(number)), outcome, "91", NOW - ago)
    assert events.notified_lately("91", NOW) == 1
    assert events.notified_lately("92", NOW) == 0


def test_old_events_are_forgotten(db: Database) -> None:
    events = ShopEvents(db)
    events.store(event("old"), NOW - KEEP_S - 1)
    events.finish(event("old"), "notified", "91", NOW - KEEP_S)
    events.store(event("new"), NOW)
    events.finish(event("new"), "notified", "91", NOW)
    assert events.store(event("old"), NOW)


def moment(*at: int) -> float:
    return dt.datetime(*at, tzinfo=ZoneInfo("Asia/Kolkata")).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(("hours", "now", "until"), [
    ("21:00-08:00", (2026, 11, 23, 20, 59), None), ("21:00-08:00", (2026, 11, 23, 21, 0), (2026, 11, 24, 8, 0)),
    ("21:00-08:00", (2026, 11, 24, 3, 0), (2026, 11, 24, 8, 0)), ("21:00-08:00", (2026, 11, 24, 8, 0), None),
    ("13:00-14:30", (2026, 11, 24, 14, 0), (2026, 11, 24, 14, 30)), ("08:00-08:00", (2026, 11, 24, 8, 0), None),
    (None, (2026, 11, 24, 3, 0), None),
])  # fmt: skip
def test_quiet_hours_are_the_shops_own_time(
    hours: str | None, now: tuple[int, ...], until: tuple[int, ...] | None
) -> None:
    ours = Shop("A", time_zone="Asia/Kolkata", quiet_hours=hours)
    assert quiet_until(ours, moment(*now)) == (moment(*until) if until else None)


@pytest.mark.parametrize(("text", "facts", "said"), [
    ("{order} comes on {date}. Track it: {tracking}", {"order": "#1", "date": "Tue"}, "#1 comes on Tue."),
    ("{order} left!\nIt comes on {date}.", {"order": "#1"}, "#1 left!"),
    ("Comes on {date}.", {}, "Comes on …."), ("Done.", {}, "Done."),
    ("{order}", {"order": "{date}"}, "…"),
])  # fmt: skip
def test_a_sentence_whose_fact_is_not_known_is_left_out(text: str, facts: dict[str, str], said: str) -> None:
    assert filled(text, facts) == said


async def test_who_wrote_stop_is_known_by_every_id_until_they_write_start(db: Database) -> None:
    opt_outs = OptOuts(db, always_open())
    for _ in range(2):
        await opt_outs.keep("stop", ["919876543210", "+919876543210", "IN.1", None])
    assert await opt_outs.has_stopped(["IN.1"])
    assert await opt_outs.has_stopped([None, "+919876543210"])
    assert not await opt_outs.has_stopped(["919800000000"])
    await opt_outs.keep("start", ["919876543210", "IN.1"])
    assert not await opt_outs.has_stopped(["919876543210", "IN.1"])


@pytest.mark.parametrize(("words", "wish"), [
    ("STOP", "stop"), ("stop.", "stop"), ("Band karo!", "stop"), ("parar", "stop"), ("start", "start"),
    ("começar", "start"),
    ("stop the order", None), ("when does it start", None), ("", None), ("stop " * 50, None), ("/stop", "stop"),
])  # fmt: skip
def test_only_a_phrase_and_nothing_else_is_the_wish(db: Database, words: str, wish: str | None) -> None:
    from handoff.configuration import load_configuration

    assert OptOuts(db, load_configuration()).wish(words) == wish
