"""Each helpdesk against its stand-in, behind one interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from handoff.helpdesks.chatwoot import Chatwoot
from handoff.helpdesks.freshdesk import Freshdesk
from handoff.helpdesks.hubspot import HubSpot
from handoff.helpdesks.interface import Draft, Helpdesk, NewComment, Ticket
from handoff.helpdesks.log_tickets import LogTickets
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from handoff.storage.database import Database
from tests.handoff.chatwoot_stand_in import ChatwootStandIn
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


def zendesk_backend(tmp_path: Any) -> Iterator[Backend]:
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


def freshdesk_backend(tmp_path: Any) -> Iterator[Backend]:
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


def hubspot_backend(tmp_path: Any) -> Iterator[Backend]:
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


def chatwoot_backend(tmp_path: Any) -> Iterator[Backend]:
    there = ChatwootStandIn()
    with serving(there.app) as url:
        yield Backend(
            Chatwoot(url, "3", "7", "token"),
            lambda: len(there.conversations),
            lambda: [message["content"] for messages in there.messages.values() for message in messages],
            lambda ticket_id: there.conversations[int(ticket_id)].update(status="resolved"),
            lambda kind, status=500, headers=None: there.faults.next.append(
                {"kind": kind, "status": status, "headers": headers}
            ),
            reply=lambda ticket_id, text, public: there.say(int(ticket_id), content=text, private=not public),
            extra={"there": there},
        )


def log_backend(tmp_path: Any) -> Iterator[Backend]:
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


BACKENDS = {
    "zendesk": zendesk_backend, "freshdesk": freshdesk_backend, "hubspot": hubspot_backend,
    "chatwoot": chatwoot_backend, "log": log_backend,
}  # fmt: skip
