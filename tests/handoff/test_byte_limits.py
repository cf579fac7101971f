"""Texts that others count in bytes: never longer than they take, never cut inside a character."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.byte_limits import ELLIPSIS, cut, size
from handoff.jobs.first_note import MAX_BODY, again_note
from handoff.jobs.ticket import MAX_NAME, MAX_SUBJECT, draft_of, messages_comment
from handoff.takeover.brief import Brief
from handoff.takeover.customer_messages import CustomerMessage
from tests.examples import examples
from tests.handoff.samples import NOW, always_open, request

CHARACTERS = st.sampled_from([
    "a", "&", "<", '"', "\n", "é", "e\u0301", "कि", "क्षि", "😡", "👩🏽‍🔧", "🇮🇳", "ﷺ", "\u200d",
])  # fmt: skip
TEXTS = st.lists(CHARACTERS, max_size=60).map("".join)


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(TEXTS, st.integers(3, 120))
def test_a_text_fits_and_ends_where_a_character_ends(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert size(short) <= limit
    assert len(short.encode()) <= limit
    if short != text:
        kept = short.removesuffix(ELLIPSIS)
        clusters = regex.findall(r"\X", text)
        assert kept in {"".join(clusters[:number]) for number in range(len(clusters) + 1)}


@settings(max_examples=examples(100), deadline=None)
@given(TEXTS)
def test_a_text_that_fits_is_left_alone(text: str) -> None:
    assert cut(text, size(text)) == text


class Takeover:
    """The columns of a takeover that a ticket is made of."""

    def __init__(self, asked: Any) -> None:
        self.reference, self.external_id, self.customer = "MG-1001", "handoff:1", asked.customer
        self.priority, self.follows, self.opened_by, self.reason, self.opened_at = "HIGH", None, "w", "complaint", NOW
        self.request, self.brief = json.dumps(asked.stored()), None


@pytest.mark.parametrize("character", ["&", "कि", "😡", "👩🏽‍🔧"])
def test_everything_of_a_ticket_fits_whatever_the_customer_writes_with(character: str) -> None:
    lines = tuple((NOW + number, "customer", character * 2000) for number in range(40))
    asked = request(profile_name=character * 300, order_number=character * 90, transcript=lines)
    takeover: Any = Takeover(asked)
    draft = draft_of(takeover, always_open())
    assert len(draft.subject.encode()) <= MAX_SUBJECT
    assert len(draft.customer_name.encode()) <= MAX_NAME
    assert size(draft.note) <= MAX_BODY
    assert size(again_note(asked, Brief(), always_open(), "key")) <= MAX_BODY
    words = [vars(CustomerMessage("w", character * 9000, NOW))] * 3
    comment = messages_comment(takeover, 1, words, always_open(), "key")
    assert size(comment.body) <= MAX_BODY
    assert comment.body.endswith("MG-1001/1)"), "what finds a lost answer again is never cut off"
