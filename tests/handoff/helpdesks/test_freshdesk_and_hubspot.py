"""What only Freshdesk or HubSpot is asked, and how their answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.helpdesks.freshdesk import Freshdesk
from tests.handoff.helpdesks.backend_samples import (
    DRAFT,
    HUBSPOT_PROPERTIES,
    WORDS,
    Backend,
    freshdesk_backend,
    hubspot_backend,
)
from tests.handoff.stand_ins import FreshdeskStandIn, serving


def test_freshdesk_is_never_asked_to_reply(tmp_path: Any) -> None:
    for backend in freshdesk_backend(tmp_path):
        ticket = backend.helpdesk.open_ticket(DRAFT, False)
        backend.helpdesk.add_comment(ticket, WORDS, False)
        paths = {path for _, path in backend.extra["there"].faults.calls}
        assert not any(path.endswith("/reply") for path in paths)
        assert DRAFT.note.splitlines()[0] not in str(backend.extra["there"].tickets)


def test_hubspot_properties_are_made_when_they_are_missing(tmp_path: Any) -> None:
    for backend in hubspot_backend(tmp_path):
        backend.extra["there"].properties.clear()
        backend.helpdesk.open_ticket(DRAFT, False)
        assert backend.extra["there"].properties == HUBSPOT_PROPERTIES


def test_hubspot_tickets_carry_the_order_number(hubspot: Backend) -> None:
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    assert hubspot.extra["there"].tickets[ticket.id]["assistant_order_number"] == "10234"


@pytest.mark.parametrize(
    "note", ["<p>Asked. To customer: nothing yet</p>", "<b>to customer</b> be kind", "<p>To customer: </p>", "", "<p>"]
)
def test_a_hubspot_note_that_is_not_addressed_to_the_customer_stays_inside(hubspot: Backend, note: str) -> None:
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    hubspot.extra["there"].add(ticket.id, {"hs_note_body": note, "hs_timestamp": "2027-01-15T08:00:00Z"})
    assert [seen for seen in hubspot.helpdesk.read_ticket(ticket).comments if seen.public] == []


def test_hubspot_replies_keep_their_order_and_lose_their_markup(hubspot: Backend) -> None:
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    hubspot.reply(ticket.id, "Hello &amp; sorry<br>I am <b>Meera</b>", True)
    hubspot.reply(ticket.id, "It comes today", True)
    said = [seen.text for seen in hubspot.helpdesk.read_ticket(ticket).comments if seen.public]
    assert said == ["Hello & sorry\nI am *Meera*", "It comes today"]


@pytest.mark.slow
def test_the_oldest_and_the_newest_of_a_hubspot_tickets_thousand_notes_are_read(hubspot: Backend) -> None:
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    hubspot.reply(ticket.id, "the first", True)
    for number in range(1000):
        hubspot.extra["there"].add(ticket.id, {"hs_note_body": f"<p>{number}</p>", "hs_timestamp": "1800000000"})
    hubspot.reply(ticket.id, "the last", True)
    said = {seen.text for seen in hubspot.helpdesk.read_ticket(ticket).comments if seen.public}
    assert said == {"the first", "the last"}


def test_the_newest_of_more_notes_than_ten_pages_hold_is_read(tmp_path: Any) -> None:
    for backend in freshdesk_backend(tmp_path):
        ticket = backend.helpdesk.open_ticket(DRAFT, False)
        for number in range(1100):
            backend.extra["there"].add(int(ticket.id), f"note {number}", True)
        backend.reply(ticket.id, "the last", True)
        assert [seen.text for seen in backend.helpdesk.read_ticket(ticket).comments if seen.public] == ["the last"]


@pytest.mark.parametrize(("note", "ids", "files"), [
    ("To customer: the label", "77;78", ["77", "78"]), ("To customer:", "77", ["77"]), ("for us only", "77", []),
    ("To customer: the label", "hidden;78", ["78"]), ("To customer: the label", None, []),
])  # fmt: skip
def test_files_of_a_hubspot_note_to_the_customer_travel_and_those_of_other_notes_do_not(
    hubspot: Backend, note: str, ids: str | None, files: list[str]
) -> None:
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    known = {"hs_note_body": note, "hs_timestamp": "2027-01-15T08:00:00Z", "hs_attachment_ids": ids}
    hubspot.extra["there"].add(ticket.id, known)
    for _ in range(2):
        seen = [media for comment in hubspot.helpdesk.read_ticket(ticket).comments for media in comment.media]
        assert seen == [f"https://files.example/{one}/label.pdf?Signature=x" for one in files]
    asked = [path for _, path in hubspot.extra["there"].faults.calls if path.endswith("/signed-url")]
    assert len(asked) == len(set(asked)), "once a file, not once a reading"


def test_hubspot_pipelines_may_be_named_and_ordered_as_the_shop_likes(hubspot: Backend) -> None:
    there = hubspot.extra["there"]
    there.pipelines = {"77": {"899": "CLOSED", "900": "OPEN", "901": "CLOSED"}}
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    assert there.tickets[ticket.id]["hs_pipeline_stage"] == "900"
    assert hubspot.helpdesk.read_ticket(ticket).status == "open"


def test_a_hubspot_ticket_moved_to_another_pipeline_can_be_solved_there(hubspot: Backend) -> None:
    there = hubspot.extra["there"]
    ticket = hubspot.helpdesk.open_ticket(DRAFT, False)
    assert hubspot.helpdesk.read_ticket(ticket).status == "open"
    there.pipelines["77"] = {"900": "OPEN", "901": "CLOSED"}
    there.tickets[ticket.id].update(hs_pipeline="77", hs_pipeline_stage="901")
    assert hubspot.helpdesk.read_ticket(ticket).status == "solved"


def test_freshdesk_gets_the_order_number_where_the_shop_has_a_field_for_it(tmp_path: Any) -> None:
    there = FreshdeskStandIn()
    with serving(there.app) as url:
        Freshdesk(url, "key", "cf_order_number").open_ticket(DRAFT, False)
    (ticket,) = there.tickets.values()
    assert ticket["custom_fields"] == {"cf_order_number": "10234"}


@pytest.mark.parametrize("refusals", [1, 2])
def test_freshdesk_refusing_the_order_field_or_the_number_gets_the_ticket_without(refusals: int) -> None:
    there = FreshdeskStandIn()
    there.faults.next = [{"kind": "error", "status": 400, "headers": None}] * refusals
    with serving(there.app) as url:
        Freshdesk(url, "key", "cf_order_number").open_ticket(DRAFT, False)
    (ticket,) = there.tickets.values()
    assert "custom_fields" not in ticket
    assert ("phone" in ticket) == (refusals == 1)
