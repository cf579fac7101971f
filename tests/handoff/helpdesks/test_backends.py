"""One suite for every helpdesk: what the dispatcher may rely on, over real HTTP, on good days and bad."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from handoff.helpdesks.freshdesk import Freshdesk
from handoff.helpdesks.hubspot import HubSpot
from handoff.helpdesks.interface import Draft, Helpdesk, NewComment, NotAllowed, Refused, RetryLater, Ticket
from handoff.helpdesks.log_tickets import LogTickets
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from handoff.storage.database import Database
from tests.handoff.stand_ins import FreshdeskStandIn, HubSpotStandIn, serving
from twin.helpdesk import api as twin_helpdesk

DRAFT = Draft(
    external_id="handoff:0f0e-1",
    reference="MG-1001",
    subject="[WhatsApp] MG-1001: customer complains",
    note="Summary\nConversation:\n[08:00] customer: this is fraud <b>",
    priority="urgent",
    tags=("whatsapp_assistant", "reason_complaint"),
    customer="919876543210",
    customer_name="Asha Rao",
    phone="+919876543210",
    order_number="10234",
)
HUBSPOT_PROPERTIES = {"assistant_handoff_id", "assistant_customer_id", "assistant_order_number"}
WORDS = NewComment("customer", "hello?\n\n(WhatsApp, 08:01, MG-1001/1)", "MG-1001/1")
NOTE = NewComment("assistant", "The customer left\n\n(MG-1001/note-7)", "MG-1001/note-7")


@dataclass
class Backend:
    """A helpdesk under test and a look behind its counter."""

    helpdesk: Helpdesk
    tickets: Any  # () -> number of tickets
    texts: Any  # () -> bodies of all comments
    solve: Any  # (ticket id) -> None
    fail: Any = None  # (kind, status, headers) -> None; None: no HTTP
    reply: Any = None  # (ticket id, text, public) -> None
    extra: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(params=["zendesk", "freshdesk", "hubspot", "log"])
def backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Backend]:
    yield from globals()[f"_{request.param}"](tmp_path)


@pytest.fixture(params=["zendesk", "freshdesk", "hubspot"])
def http_backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Backend]:
    yield from globals()[f"_{request.param}"](tmp_path)


def _zendesk(tmp_path: Any) -> Iterator[Backend]:
    there = twin_helpdesk.Helpdesk(token="secret", first_id=1)

    def fail(kind: str, status: int = 500, headers: dict[str, str] | None = None) -> None:
        fault = twin_helpdesk.HelpdeskFault(
            {"error": "error", "lost": "accept_then_reset"}[kind],
            path="/tickets",
            status=status,
            retry_after=(headers or {}).get("Retry-After"),
        )
        there.faults.append(fault)

    with serving(lambda: twin_helpdesk.create_app(there)) as url:
        yield Backend(
            Zendesk(url, Fixed("Bearer secret"), "360001"),
            lambda: len(there.tickets.tickets),
            lambda: [comment["body"] for ticket in there.tickets.tickets.values() for comment in ticket.comments],
            lambda ticket_id: there.tickets.update(int(ticket_id), {"status": "solved"}, by=501),
            fail,
            reply=lambda ticket_id, text, public: there.reply(int(ticket_id), text, public, None, []),
            extra={"there": there, "url": url},
        )


def _freshdesk(tmp_path: Any) -> Iterator[Backend]:
    there = FreshdeskStandIn()
    with serving(there.app) as url:
        yield Backend(
            Freshdesk(url, "key"),
            lambda: len(there.tickets),
            lambda: [note["body_text"] for notes in there.notes.values() for note in notes],
            lambda ticket_id: there.tickets[int(ticket_id)].update(status=4),
            lambda kind, status=500, headers=None: there.faults.next.append(
                {"kind": kind, "status": status, "headers": headers}
            ),
            reply=lambda ticket_id, text, public: there.add(int(ticket_id), text, not public),
            extra={"there": there},
        )


def _hubspot(tmp_path: Any) -> Iterator[Backend]:
    there = HubSpotStandIn()
    there.properties |= HUBSPOT_PROPERTIES

    def reply(ticket_id: str, text: str, public: bool) -> None:
        at = f"2027-01-15T08:00:{len(there.notes):02}.000Z"
        said = f"<div><p>To customer:&nbsp;{text}</p></div>" if public else f"<p>{text}</p>"
        there.add(ticket_id, {"hs_note_body": said, "hs_timestamp": at})

    with serving(there.app) as url:
        yield Backend(
            HubSpot(url, "token"),
            lambda: len(there.tickets),
            lambda: [note["hs_note_body"] for note in there.notes.values()],
            lambda ticket_id: there.tickets[ticket_id].update(hs_pipeline_stage="4"),
            lambda kind, status=500, headers=None: there.faults.next.append(
                {"kind": kind, "status": status, "headers": headers}
            ),
            reply=reply,
            extra={"there": there},
        )


def _log(tmp_path: Any) -> Iterator[Backend]:
    db = Database(f"sqlite:///{tmp_path}/log.db")
    desk = LogTickets(db)

    def texts() -> list[str]:
        return [
            comment.text for number in range(1, count() + 1) for comment in desk.read_ticket(_ticket(number)).comments
        ]

    def count() -> int:
        with db.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM handoff_log_tickets").scalar())

    yield Backend(
        desk, count, texts, lambda ticket_id: desk.set_status(ticket_id, "solved"),
        reply=lambda ticket_id, text, public: desk.reply(ticket_id, text, public),
    )  # fmt: skip
    db.close()


def _ticket(number: int) -> Ticket:
    return Ticket(str(number))


def test_a_ticket_is_opened_and_found_open(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    assert backend.tickets() == 1
    assert backend.helpdesk.read_ticket(ticket).status == "open"


def test_asked_twice_for_the_same_ticket_there_is_one(backend: Backend) -> None:
    first = backend.helpdesk.open_ticket(DRAFT, False)
    again = backend.helpdesk.open_ticket(DRAFT, True)
    assert again.id == first.id
    assert backend.tickets() == 1


def test_nothing_of_ours_reads_as_an_agents_public_comment(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.helpdesk.add_comment(ticket, WORDS, False)
    backend.helpdesk.add_comment(ticket, NOTE, False)
    view = backend.helpdesk.read_ticket(ticket)
    assert [comment for comment in view.comments if comment.public and comment.by_staff] == []


def test_a_comment_said_again_stands_once(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    first = backend.helpdesk.add_comment(ticket, WORDS, False)
    assert backend.helpdesk.add_comment(ticket, WORDS, True) == first
    assert sum(WORDS.marker in text for text in backend.texts()) == 1


def test_a_comment_that_never_arrived_is_added_on_the_second_try(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.helpdesk.add_comment(ticket, NOTE, True)
    assert sum(NOTE.marker in text for text in backend.texts()) == 1


def test_a_solved_ticket_reads_as_solved(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.solve(ticket.id)
    assert backend.helpdesk.read_ticket(ticket).status == "solved"


def test_an_agents_public_reply_is_seen_and_a_private_note_is_known_as_one(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.reply(ticket.id, "Hello, Meera here", True)
    backend.reply(ticket.id, "suspicious account", False)
    seen = {c.text: c.public for c in backend.helpdesk.read_ticket(ticket).comments if c.by_staff}
    assert seen["Hello, Meera here"] is True
    assert seen["suspicious account"] is False


def test_a_lost_answer_to_opening_leaves_one_ticket(http_backend: Backend) -> None:
    http_backend.fail("lost")
    with pytest.raises(RetryLater):
        http_backend.helpdesk.open_ticket(DRAFT, False)
    assert http_backend.tickets() == 1
    http_backend.helpdesk.open_ticket(DRAFT, True)
    assert http_backend.tickets() == 1


def test_a_lost_answer_to_a_comment_leaves_one_comment(http_backend: Backend) -> None:
    ticket = http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.fail("lost")
    with pytest.raises(RetryLater):
        http_backend.helpdesk.add_comment(ticket, WORDS, False)
    http_backend.helpdesk.add_comment(ticket, WORDS, True)
    assert sum(WORDS.marker in text for text in http_backend.texts()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 409, 408])
def test_trouble_that_passes_is_to_be_tried_later(http_backend: Backend, status: int) -> None:
    http_backend.fail("error", status)
    with pytest.raises(RetryLater):
        http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.helpdesk.open_ticket(DRAFT, True)
    assert http_backend.tickets() == 1


@pytest.mark.parametrize(("written", "seconds"), [("7", 7.0), ("1.5", 1.5), ("soon", None), (None, None)])
def test_too_many_requests_say_how_long_to_wait(http_backend: Backend, written: str | None, seconds: float) -> None:
    http_backend.fail("error", 429, {"Retry-After": written} if written else None)
    with pytest.raises(RetryLater) as caught:
        http_backend.helpdesk.open_ticket(DRAFT, False)
    assert caught.value.after_s == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_are_an_operators_business(http_backend: Backend, status: int) -> None:
    http_backend.fail("error", status)
    with pytest.raises(NotAllowed):
        http_backend.helpdesk.open_ticket(DRAFT, False)


def test_a_comment_on_a_ticket_that_is_gone_is_refused(http_backend: Backend) -> None:
    ticket = http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.fail("error", 422)
    http_backend.fail("error", 422)  # Zendesk is asked for a note of ours, too
    with pytest.raises(Refused):
        http_backend.helpdesk.add_comment(ticket, WORDS, False)


def test_nobody_at_the_other_end_is_to_be_tried_later() -> None:
    nobody = "http://127.0.0.1:9"
    for helpdesk in (Zendesk(nobody, Fixed("")), Freshdesk(nobody, "key"), HubSpot(nobody, "token")):
        with pytest.raises(RetryLater):
            helpdesk.open_ticket(DRAFT, False)


@pytest.fixture
def zendesk(tmp_path: Any) -> Iterator[Backend]:
    yield from _zendesk(tmp_path)


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


def test_freshdesk_is_never_asked_to_reply(tmp_path: Any) -> None:
    for backend in _freshdesk(tmp_path):
        ticket = backend.helpdesk.open_ticket(DRAFT, False)
        backend.helpdesk.add_comment(ticket, WORDS, False)
        paths = {path for _, path in backend.extra["there"].faults.calls}
        assert not any(path.endswith("/reply") for path in paths)
        assert DRAFT.note.splitlines()[0] not in str(backend.extra["there"].tickets)


def test_hubspot_properties_are_made_when_they_are_missing(tmp_path: Any) -> None:
    for backend in _hubspot(tmp_path):
        backend.extra["there"].properties.clear()
        backend.helpdesk.open_ticket(DRAFT, False)
        assert backend.extra["there"].properties == HUBSPOT_PROPERTIES


@pytest.fixture
def hubspot(tmp_path: Any) -> Iterator[Backend]:
    yield from _hubspot(tmp_path)


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
