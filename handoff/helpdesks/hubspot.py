"""HubSpot (CRM v3): a ticket, its notes and its status.

Notes are internal in HubSpot, and it has no reply to a customer whom it does not talk to itself. So a note is internal
here too, unless it begins with the words `To customer:`; then what follows is the agent's reply.

Properties of ours are created on first use. Two hold unique values and make ticket and contact findable without the
search index, which lags by seconds: `assistant_handoff_id` (tickets) and `assistant_customer_id` (contacts).

Files of a note are hidden ones of HubSpot's, which it hands out by links that hold for a while.
"""

from __future__ import annotations

import datetime as dt
import html
import logging
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from handoff.helpdesks import http_answers
from handoff.helpdesks.agent_words import whatsapp_words
from handoff.helpdesks.interface import (
    Draft,
    Gone,
    HelpdeskError,
    NewComment,
    NotAllowed,
    Refused,
    RetryLater,
    SeenComment,
    Ticket,
    TicketView,
)
from handoff.helpdesks.timestamps import epoch_or
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

TICKET_KEY, CONTACT_KEY, ORDER = "assistant_handoff_id", "assistant_customer_id", "assistant_order_number"
TO_CUSTOMER = re.compile(r"[*_]*to customer[*_]*\s*:[*_]*", re.IGNORECASE)  # in bold, perhaps
_OURS = re.compile(r"(?:<(?!b>)[^>]{0,200}>\s*)*<b>(?:Customer on WhatsApp|Assistant)</b>")  # notes that we wrote
PRIORITY = {"normal": "MEDIUM", "high": "HIGH", "urgent": "URGENT"}
TICKET_TO_CONTACT, NOTE_TO_TICKET = 16, 228
FILE_LINK_S = 7 * 24 * 3600
MAX_FILES = 10  # of one note
MAX_LINKS = 1000
PAGE, MAX_PAGES = 500, 20  # of a ticket's notes


class HubSpot:
    """A Helpdesk."""

    name = "hubspot"

    def __init__(self, url: str, token: str) -> None:
        self._call = http_answers.Api(url.rstrip("/"), {"Authorization": f"Bearer {token}"}).call
        self._keys_made = False
        self._links: dict[str, str] = {}  # of files that were asked for, by id
        self._stages: dict[tuple[str, str], bool] = {}  # (pipeline, stage) -> whether it is a closed one, in order

    @classmethod
    def from_settings(cls, configured: Settings) -> HubSpot:
        """Raises SettingsError."""
        if not (configured.hubspot_url and configured.hubspot_access_token):
            raise SettingsError("Set HUBSPOT_URL and HUBSPOT_ACCESS_TOKEN for HubSpot.")
        return cls(configured.hubspot_url, configured.hubspot_access_token)

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        self._make_keys()
        if tried_before:
            found = self._find(draft.external_id)
            if found is not None:
                return found
        contact = self._contact(draft)
        pipeline, stage = self._entrance()
        properties = {
            "subject": draft.subject,
            "content": draft.note,
            "hs_pipeline": pipeline,
            "hs_pipeline_stage": stage,
            "hs_ticket_priority": PRIORITY[draft.priority],
            TICKET_KEY: draft.external_id,
            **({ORDER: draft.order_number} if draft.order_number else {}),
        }
        body = {"properties": properties, "associations": [_association(contact, TICKET_TO_CONTACT)] if contact else []}
        without = [] if contact else ["requester"]
        while True:
            try:
                made = self._ticket(self._call("POST", "/crm/v3/objects/tickets", json=body))
                return replace(made, without=tuple(without))
            except Refused as error:
                without.append(_simplified(body, error))
                log.error("hubspot.ticket.refused error=%s; asking without its %s", error, without[-1])

    def _find(self, external_id: str) -> Ticket | None:
        path = f"/crm/v3/objects/tickets/{quote(external_id, safe='')}"
        try:
            return self._ticket(self._call("GET", path, params={"idProperty": TICKET_KEY}))
        except Refused:
            return None

    def _contact(self, draft: Draft) -> str | None:
        """The customer's contact; None when HubSpot takes them neither with their number nor without."""
        properties = {"firstname": draft.customer_name, CONTACT_KEY: draft.customer}
        for given in ({**properties, "phone": draft.phone}, properties) if draft.phone else (properties,):
            upsert = {"inputs": [{"id": draft.customer, "idProperty": CONTACT_KEY, "properties": given}]}
            try:
                results = self._call("POST", "/crm/v3/objects/contacts/batch/upsert", json=upsert).get("results") or []
            except Refused as error:
                log.error("hubspot.contact.refused error=%s", error)
                continue
            if not results:
                raise RetryLater("no contact in the answer")
            return str(results[0]["id"])
        return None

    def _make_keys(self) -> None:
        if self._keys_made:
            return
        for kind, name, group in (
            ("tickets", TICKET_KEY, "ticketinformation"),
            ("tickets", ORDER, "ticketinformation"),
            ("contacts", CONTACT_KEY, "contactinformation"),
        ):
            try:
                self._call("GET", f"/crm/v3/properties/{kind}/{name}")
            except Refused:
                body = {
                    "name": name, "label": name.replace("_", " "), "type": "string", "fieldType": "text",
                    "groupName": group, "hasUniqueValue": name != ORDER,
                }  # fmt: skip
                self._call("POST", f"/crm/v3/properties/{kind}", json=body)
        self._keys_made = True

    def _ticket(self, ticket: dict[str, Any]) -> Ticket:
        return Ticket(str(ticket["id"]), str(ticket.get("url") or ""))

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        if tried_before:
            for note in self._notes(ticket):
                if comment.marker in _body(note):
                    return str(note["id"])
        if comment.author == "customer":
            self._still_there(ticket)
        who = "Customer on WhatsApp" if comment.author == "customer" else "Assistant"
        body = {
            "properties": {
                "hs_note_body": f"<b>{who}</b><br>" + html.escape(comment.body).replace("\n", "<br>"),
                "hs_timestamp": dt.datetime.now(dt.timezone.utc).isoformat(),
            },
            "associations": [_association(ticket.id, NOTE_TO_TICKET)],
        }
        made = str(self._call("POST", "/crm/v3/objects/notes", json=body)["id"])
        self._change(ticket, comment)
        return made

    def _change(self, ticket: Ticket, comment: NewComment) -> None:
        """Priority, and the stage of a ticket that is solved; what goes wrong with them must not repeat the comment."""
        try:
            properties = {} if comment.priority is None else {"hs_ticket_priority": PRIORITY[comment.priority]}
            if comment.status == "solved":
                properties |= self._closed_stage(ticket)
            if properties:
                self._call("PATCH", f"/crm/v3/objects/tickets/{ticket.id}", json={"properties": properties})
        except HelpdeskError as error:
            log.warning("hubspot.ticket.not_changed error=%s", error)

    def _closed_stage(self, ticket: Ticket) -> dict[str, str]:
        """The first stage of the ticket's pipeline that counts as closed, as a change of the ticket; {} for none."""
        pipeline = str((self._still_there(ticket).get("properties") or {}).get("hs_pipeline"))
        if not self._stages:
            self._read_pipelines()
        closed = [stage for (name, stage), is_closed in self._stages.items() if name == pipeline and is_closed]
        return {"hs_pipeline_stage": closed[0]} if closed else {}

    def _still_there(self, ticket: Ticket) -> dict[str, Any]:
        """The ticket. Raises Gone for one that was deleted, or merged into another, under whose id it is then shown."""
        wanted = {"properties": "hs_pipeline,hs_pipeline_stage"}
        try:
            found = self._call("GET", f"/crm/v3/objects/tickets/{ticket.id}", params=wanted)
        except Refused as error:
            raise Gone(str(error)) from error
        if found.get("archived") or str(found.get("id")) != ticket.id:
            raise Gone("merged or deleted")
        return dict(found)

    def read_ticket(self, ticket: Ticket) -> TicketView:
        found = self._still_there(ticket)
        properties = found.get("properties") or {}
        place = str(properties.get("hs_pipeline")), str(properties.get("hs_pipeline_stage"))
        status = "solved" if self._is_closed(place) else "open"
        notes = sorted([self._seen(note) for note in self._notes(ticket)], key=lambda note: note.at)
        return TicketView(status, tuple(notes))

    def _seen(self, note: dict[str, Any]) -> SeenComment:
        """A note. Public is what an agent addressed to the customer; nothing that we write begins like that."""
        properties = note.get("properties") or {}
        written = _body(note)
        said = written if _OURS.match(written) else whatsapp_words(written)  # a customer's may take long
        addressed = TO_CUSTOMER.match(said)
        words = said[addressed.end() :].strip() if addressed else said
        files = [one for one in str(properties.get("hs_attachment_ids") or "").split(";") if one] if addressed else []
        return SeenComment(
            str(note["id"]), words, epoch_or(properties.get("hs_timestamp"), 0.0),
            public=bool(addressed and (words or files)), by_staff=True,
            media=tuple(link for one in files[:MAX_FILES] if (link := self._link_of(one))),
        )  # fmt: skip

    def _link_of(self, file_id: str) -> str:
        """Where a file is for now; '' for one that we may not read, which the words do not wait for."""
        if file_id not in self._links:
            path = f"/files/v3/files/{quote(file_id, safe='')}/signed-url"
            try:
                found = self._call("GET", path, params={"expirationSeconds": FILE_LINK_S})
            except (Refused, NotAllowed) as error:
                log.warning("hubspot.file.refused error=%s; the scope files.ui_hidden.read is needed", error)
                found = {}
            if len(self._links) >= MAX_LINKS:
                self._links.clear()
            self._links[file_id] = str(found.get("url") or "")
        return self._links[file_id]

    def _entrance(self) -> tuple[str, str]:
        """Pipeline and stage of a new ticket: the first ones, which shops name and number as they like."""
        if not self._stages:
            self._read_pipelines()
        place = next((place for place, closed in self._stages.items() if not closed), None)
        if place is None:
            raise Refused("HubSpot has no ticket pipeline with an open stage")
        return place

    def _is_closed(self, place: tuple[str, str]) -> bool:
        if place not in self._stages:  # the first one, or one that was added since
            self._read_pipelines()
        return self._stages.get(place, False)

    def _read_pipelines(self) -> None:
        found = self._call("GET", "/crm/v3/pipelines/tickets").get("results") or []
        self._stages = {
            (str(pipeline["id"]), str(stage["id"])): (stage.get("metadata") or {}).get("ticketState") == "CLOSED"
            for pipeline in sorted(found, key=_order)
            for stage in sorted(pipeline.get("stages") or [], key=_order)
        }

    def _notes(self, ticket: Ticket) -> list[dict[str, Any]]:
        path, ids, after = f"/crm/v4/objects/tickets/{ticket.id}/associations/notes", [], None
        for _ in range(MAX_PAGES):
            page = self._call("GET", path, params={"limit": PAGE, "after": after})
            ids += [{"id": str(row["toObjectId"])} for row in page.get("results") or []]
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                break
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), 100):
            wanted = ["hs_note_body", "hs_timestamp", "hs_attachment_ids"]
            body = {"properties": wanted, "inputs": ids[start : start + 100]}
            found += self._call("POST", "/crm/v3/objects/notes/batch/read", json=body).get("results") or []
        return found


def _simplified(body: dict[str, Any], error: Refused) -> str:
    """Leave out what HubSpot complains about, else what accounts lack most often; its name. Raises `error`."""
    properties = body["properties"]
    urgent = properties["hs_ticket_priority"] == "URGENT"  # accounts without the fourth priority
    if ORDER in properties and (not urgent or any(field.startswith(ORDER) for field in error.fields)):
        del properties[ORDER]
        return "order"
    if urgent:
        properties["hs_ticket_priority"] = "HIGH"
        return "priority"
    if not body["associations"]:
        raise error
    body["associations"] = []
    return "requester"


def _order(place: dict[str, Any]) -> int:
    return int(place.get("displayOrder") or 0)


def _body(note: dict[str, Any]) -> str:
    return str((note.get("properties") or {}).get("hs_note_body") or "")


def _association(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}
