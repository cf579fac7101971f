"""Whatever lies in the stream, the good records are logged and the stream is emptied."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation_log.ingest.parsing import parse
from conversation_log.ingest.stream import POISON, backlog
from conversation_log.model.records import BadRecord
from tests.conversation_log.conftest import NOON, sent_record, status_record, turn_record

JUNK = [None, True, -1, 1e400, 10**30, "", "x" * 9000, "\x00", "\ud83d", [], {}, [[]], [None], {"a": {"b": []}}, "+91"]
RECORDS = [
    turn_record("wamid.A", new_session=True, slots={"escalation_reason": "complaint"}),
    {**turn_record("wamid.B"), "replies": [{"text": "one", "metadata": {"utter_action": "utter_greet"}}]},
    {"record": "inbound", "customer": "91", "metadata": turn_record("wamid.C")["metadata"], "text": "hello"},
    sent_record("wamid.A:1", "wamid.R"),
    status_record("wamid.R", "read", key="wamid.A:1"),
]


def broken(record: dict[str, Any], rng: random.Random, times: int) -> dict[str, Any]:
    """The record with some values anywhere in it replaced by junk, or gone."""
    record = copy.deepcopy(record)
    for _ in range(times):
        place: Any = record
        while True:
            names = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not names:
                break
            name = rng.choice(names)
            if isinstance(place[name], (dict, list)) and rng.random() < 0.75:
                place = place[name]
                continue
            if rng.random() < 0.2:
                del place[name]
            else:
                place[name] = copy.deepcopy(rng.choice(JUNK))
            break
    return record


@given(st.sampled_from(RECORDS), st.randoms(use_true_random=False), st.integers(1, 4))
def test_record_is_read_or_refused_and_nothing_else(record: dict[str, Any], rng: random.Random, times: int) -> None:
    try:
        parse(json.dumps(broken(record, rng, times)))
    except BadRecord:
        return


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        parse(raw)
    except BadRecord:
        return


@pytest.mark.slow
def test_good_records_are_logged_among_broken_ones(the_log) -> None:
    rng = random.Random(5)
    for number in range(300):
        the_log.put(broken(rng.choice(RECORDS), rng, rng.randint(1, 3)))
        if number % 10 == 0:
            the_log.put(turn_record(f"wamid.good.{number}", customer="910000000001", at=NOON + number))
    the_log.write()
    assert backlog(the_log.redis) == 0
    assert the_log.redis.xlen(POISON) > 0
    (record,) = the_log.read(customers={"910000000001"})
    assert record["session_metadata"]["total_turns"] == 30
