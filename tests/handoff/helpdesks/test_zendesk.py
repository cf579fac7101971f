"""What only Zendesk is asked, and how its answers are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from aiohttp import web

from handoff.helpdesks.interface import RetryLater
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from tests.handoff.helpdesks.backend_samples import DRAFT, NOTE, WORDS, Backend
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk


def test_zendesk_gets_all_that_an_agent_needs(zendesk: Backend) -> None:
    there = zendesk.extra["there"].tickets
    zendesk.helpdesk.open_ticket(DRAFT, False)
    ticket = there.tickets[1]
    assert ticket.fields["priority"] == "urgent"
    assert ticket.fields["external_id"] == DRAFT.external_id
    assert set(ticket.fields["tags"]) == set(DRAFT.tags)
    assert ticket.fields["custom_fields"] == [{"id": 360001, "value": "10234"}]
    assert ticket.comments[0]["public"] is False
    requester = there.users[ticket.fields["requester_id"]]
    assert (requester["external_id"], requester["phone"]) == ("whatsapp:919876543210", "+919876543210")


def test_zendesk_hears_customers_in_their_own_name_and_notes_in_private(zendesk: Backend) -> None:
    there = zendesk.extra["there"].tickets
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    zendesk.helpdesk.add_comment(ticket, WORDS, False)
    zendesk.helpdesk.add_comment(ticket, NOTE, False)
    words, note = there.tickets[1].comments[1:]
    assert (words["public"], str(words["author_id"])) == (True, ticket.requester_id)
    assert note["public"] is False


def test_zendesk_creation_carries_an_idempotency_key_and_nothing_else_does(zendesk: Backend) -> None:
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    zendesk.helpdesk.add_comment(ticket, WORDS, False)
    zendesk.helpdesk.read_ticket(ticket)
    keys = {(call["method"], call["path"]): call["idempotency_key"] for call in zendesk.extra["there"].calls}
    assert keys.pop(("POST", "/api/v2/tickets")) == DRAFT.external_id
    assert set(keys.values()) == {None}


def test_zendesk_is_never_asked_twice_by_the_library_itself(zendesk: Backend) -> None:
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    calls = zendesk.extra["there"].calls
    calls.clear()
    zendesk.fail("error", 503)
    with pytest.raises(RetryLater):
        zendesk.helpdesk.add_comment(ticket, WORDS, False)
    assert [call["method"] for call in calls] == ["PUT"]


def test_zendesk_is_read_afresh_each_time(zendesk: Backend) -> None:
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    assert zendesk.helpdesk.read_ticket(ticket).status == "open"
    zendesk.solve(ticket.id)
    assert zendesk.helpdesk.read_ticket(ticket).status == "solved"


def test_zendesk_comments_are_read_to_the_last_page(zendesk: Backend) -> None:
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    for number in range(230):
        zendesk.reply(ticket.id, f"line {number}", True)
    assert len(zendesk.helpdesk.read_ticket(ticket).comments) == 231


def test_zendesk_refusing_the_order_field_gets_the_ticket_without_it(zendesk: Backend) -> None:
    zendesk.fail("error", 422)
    zendesk.helpdesk.open_ticket(DRAFT, False)
    assert zendesk.extra["there"].tickets.tickets[1].fields["custom_fields"] == []


def test_zendesk_refusing_a_phone_number_gets_the_customer_without_it(zendesk: Backend) -> None:
    there = zendesk.extra["there"]
    there.faults.append(twin_helpdesk.HelpdeskFault("error", path="/users/create_or_update", status=422))
    zendesk.helpdesk.open_ticket(DRAFT, False)
    requester = there.tickets.users[there.tickets.tickets[1].fields["requester_id"]]
    assert "phone" not in requester
    assert requester["external_id"] == "whatsapp:919876543210"


def test_a_zendesk_without_user_administration_still_gets_the_ticket(zendesk: Backend) -> None:
    there = zendesk.extra["there"]
    there.faults.append(twin_helpdesk.HelpdeskFault("error", times=None, path="/users", status=404))
    ticket = zendesk.helpdesk.open_ticket(DRAFT, False)
    zendesk.reply(ticket.id, "Meera here", True)
    assert [c.text for c in zendesk.helpdesk.read_ticket(ticket).comments if c.by_staff and c.public] == ["Meera here"]


@pytest.mark.parametrize("path", ["/tickets", "/users"])
def test_a_proxys_page_instead_of_zendesk_is_to_be_tried_later(zendesk: Backend, path: str) -> None:
    zendesk.extra["there"].faults.append(twin_helpdesk.HelpdeskFault("html", path=path, status=200))
    with pytest.raises(RetryLater):
        zendesk.helpdesk.open_ticket(DRAFT, False)
    zendesk.helpdesk.open_ticket(DRAFT, True)
    assert zendesk.tickets() == 1


def test_zendesk_below_a_path_is_reached_there() -> None:
    there = twin_helpdesk.Helpdesk(token="secret", first_id=1)

    def below() -> web.Application:
        app = web.Application()
        twin_helpdesk.mount(app, there, "/helpdesk")
        return app

    with serving(below) as url:
        desk = Zendesk(f"{url}/helpdesk", Fixed("Bearer secret"))
        ticket = desk.open_ticket(DRAFT, False)
        for number in range(120):
            there.reply(int(ticket.id), f"line {number}", True, None, [])
        assert len(desk.read_ticket(ticket).comments) == 121


def test_several_threads_use_zendesk_without_mixing_tickets(zendesk: Backend) -> None:
    def work(number: int) -> tuple[str, str]:
        draft = replace(DRAFT, external_id=f"handoff:{number}", subject=f"subject {number}", customer=str(number))
        ticket = zendesk.helpdesk.open_ticket(draft, False)
        return ticket.id, draft.subject

    with ThreadPoolExecutor(6) as pool:
        opened = dict(pool.map(work, range(24)))
    tickets = zendesk.extra["there"].tickets.tickets
    assert {str(number): ticket.fields["subject"] for number, ticket in tickets.items()} == opened
