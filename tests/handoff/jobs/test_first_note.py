"""The first note of a ticket: who, what about, in which mood; the order, what was tried, a reply to begin with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from handoff.configuration import HandoffConfiguration
from handoff.files.links import media_signature
from handoff.jobs.attempts import tried
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.first_note import first_note
from handoff.storage.database import Database
from handoff.storage.tables import media, takeovers
from handoff.takeover.brief import Brief, brief_from, complete
from handoff.takeover.state_machine import open_takeover
from skills import Skills
from tests.handoff.jobs.fake_helpdesk import Clock, FakeHelpdesk, state, work
from tests.handoff.samples import always_open, request

BRIEF = Brief(
    language="Hinglish",
    order_status="out for delivery",
    order=("Status: out for delivery", "due Tue 24 Nov 2026"),
    tried=("Answered: order status, shipped (order 10234)",),
    reply="You have 30 days from delivery to return clothing.",
    sources=("return_window#How many days there are",),
    files=(("77", "image", "torn.jpg"),),
)


def note(brief: Brief = BRIEF, configuration: HandoffConfiguration | None = None, **values: Any) -> str:
    return first_note("MG-1001", None, request(**values), brief, configuration or always_open(), "key")


def test_three_lines_say_who_what_about_and_in_which_mood() -> None:
    title, blank, *lines = note().splitlines()
    assert (title, blank) == ("MG-1001: a WhatsApp customer complains about order #10234.", "")
    assert lines[:3] == [
        "Customer: Asha Rao, +919876543210, writes Hinglish",
        "About: order #10234 (out for delivery); last words: “This is fraud”",
        "Mood: upset; complains (reason complaint, priority CRITICAL)",
    ]


@pytest.mark.parametrize(("reason", "upset", "mood"), [
    ("human_requested", False, "no anger noticed"), ("human_requested", True, "upset"), ("frustration", False, "upset"),
    ("refund_request", False, "no anger noticed"),
])  # fmt: skip
def test_the_mood_is_what_the_customer_wrote_before_and_now(reason: str, upset: bool, mood: str) -> None:
    assert f"Mood: {mood};" in note(replace(BRIEF, upset=upset), reason=reason)


def test_order_attempts_draft_sources_and_files_each_have_a_paragraph_and_the_conversation_is_last() -> None:
    paragraphs = note(configuration=replace(always_open(), public_url="https://bot.example")).split("\n\n")
    titles = [paragraph.partition("\n")[0] for paragraph in paragraphs[2:]]
    assert titles == [
        "Order #10234:", "What the assistant tried:",
        "Draft reply, from your pages word for word or held against them (not sent):", "Sources:",
        "Files from the customer:", "Why the assistant called you:", titles[-2], "Conversation:",
    ]  # fmt: skip
    assert paragraphs[4].splitlines()[1:] == [BRIEF.reply]
    assert paragraphs[5].splitlines()[1:] == list(BRIEF.sources)
    link = f"https://bot.example/webhooks/zendesk/media/77/{media_signature('77', 'key')}"
    assert paragraphs[6].splitlines()[1:] == [f"[image torn.jpg: {link}]"]


def test_what_is_not_known_is_left_out() -> None:
    bare = note(Brief(), phone=None, profile_name=None, order_number=None, score_breakdown=(), transcript=())
    assert "Customer: name unknown, phone unknown\nAbout: nothing was said" in bare
    for title in ("Order", "tried", "Draft", "Sources", "Files", "called you"):
        assert title not in bare


def test_a_brief_survives_its_row_and_what_another_release_wrote_is_passed_over() -> None:
    kept = json.dumps({**BRIEF.stored(), "added_later": 1})
    assert brief_from(kept) == BRIEF
    assert [brief_from(odd) for odd in (None, "null", "[]")] == [Brief()] * 3


@pytest.fixture
def waiting(db: Database, clock: Clock) -> int:
    """A ticket that waits for its draft reply."""
    return open_takeover(db, request(), now=clock.now, brief=BRIEF, wait_s=10).takeover_id


def test_a_ticket_waits_for_its_draft_and_is_opened_as_soon_as_it_comes(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, waiting: int, clock: Clock
) -> None:
    work(dispatcher)
    assert helpdesk.tickets == []
    assert complete(db, waiting, "Clothing goes back within 30 days.", ("return_window#Days",), clock.now)
    work(dispatcher)
    assert "Clothing goes back within 30 days.\n\nSources:\nreturn_window#Days" in helpdesk.drafts[0].note
    assert state(db, takeovers.c.brief) == [None]
    assert state(db, media.c.media_id) == ["77"]


def test_a_draft_that_never_comes_costs_ten_seconds_and_not_the_ticket(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, waiting: int, clock: Clock
) -> None:
    clock.now += 10
    work(dispatcher)
    assert BRIEF.reply in helpdesk.drafts[0].note
    assert not complete(db, waiting, "too late", (), clock.now)


def test_a_ticket_that_was_tried_says_the_same_when_it_is_tried_again(
    db: Database, dispatcher: Dispatcher, helpdesk: FakeHelpdesk, waiting: int, clock: Clock
) -> None:
    clock.now += 10
    helpdesk.script = [TimeoutError()]
    work(dispatcher)
    assert not complete(db, waiting, "another", (), clock.now)
    clock.now += 60
    work(dispatcher)
    assert BRIEF.reply in helpdesk.drafts[0].note


SKILLS = Skills({
    "topics": {
        "order_status": {"feature": "order_status", "about": "order"}, "return_policy": {"feature": "return_policy"},
        "fallback": {"feature": "clarification", "counts_as": "unresolved"}, "greet": {},
        "handoff": {"feature": "escalation"},
    },
    "responses": {"utter_return_policy_unknown": [{"text": "x", "metadata": {"counts_as": "unmet"}}]},
})  # fmt: skip


def said(response: str, **facts: Any) -> dict[str, Any]:
    return {"event": "bot", "metadata": {"utter_action": response, **facts}}


def asked(text: str) -> dict[str, Any]:
    return {"event": "user", "text": text, "metadata": {"typed": text}}


def test_what_was_tried_is_told_by_skill_outcome_and_what_it_was_about() -> None:
    events = [
        asked("hi"), said("utter_greet"),
        asked("where is 10234"), said("utter_order_status_shipped", order_number="10234"),
        asked("and earrings?"), said("utter_return_policy_answer", policy_sections=["returns#Earrings"]),
        asked("do you match prices"), said("utter_return_policy_unknown"), asked("blorp"), said("utter_fallback_again"),
        asked("blorp"), said("utter_fallback_again"),
        asked("a human"), said("utter_handoff_connecting"), {"event": "slot"},
    ]  # fmt: skip
    assert tried(events, SKILLS) == (
        "Answered: order status, shipped (order 10234)",
        "Answered: return policy, answer (from returns#Earrings)",
        "Could not help: return policy, unknown (“do you match prices”)",
        "Could not help: clarification, fallback again (“blorp”) (2 times)",
    )
