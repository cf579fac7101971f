"""HubSpot (CRM v3): a ticket and its status. Agents' replies do not travel: notes are internal in HubSpot.

Two properties with unique values, created on first use, make ticket and contact findable without the search index,
which lags by seconds: `assistant_handoff_id` (tickets) and `assistant_customer_id` (contacts).
"""

from __future__ import annotations

import datetime as dt
import html
import threading
from typing import Any
from urllib.parse import quote

import requests

from handoff import http
from handoff.port import Draft, NewComment, Refused, RetryLater, SeenComment, Ticket, TicketView
from settings import Settings, SettingsError

TICKET_KEY, CONTACT_KEY = "assistant_handoff_id", "assistant_customer_id"
PRIORITY = {"normal": "MEDIUM", "high": "HIGH", "urgent": "URGENT"}
PIPELINE, NEW_STAGE = "0", "1"
TICKET_TO_CONTACT, NOTE_TO_TICKET = 16, 228


class HubSpot:
    """A Helpdesk."""

    name = "hubspot"

    def __init__(self, url: str, token: str) -> None:
        self._base, self._token = url.rstrip("/"), token
        self._threads = threading.local()
        self._keys_made = False
        self._closed_stages: frozenset[str] | None = None

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
        properties = {
            "subject": draft.subject,
            "content": draft.note,
            "hs_pipeline": PIPELINE,
            "hs_pipeline_stage": NEW_STAGE,
            "hs_ticket_priority": PRIORITY[draft.priority],
            TICKET_KEY: draft.external_id,
        }
        body = {"properties": properties, "associations": [_association(contact, TICKET_TO_CONTACT)]}
        try:
            return self._ticket(self._call("POST", "/crm/v3/objects/tickets", json=body))
        except Refused:
            if properties["hs_ticket_priority"] != "URGENT":
                raise
            properties["hs_ticket_priority"] = "HIGH"  # accounts without the fourth priority
            return self._ticket(self._call("POST", "/crm/v3/objects/tickets", json=body))

    def _find(self, external_id: str) -> Ticket | None:
        path = f"/crm/v3/objects/tickets/{quote(external_id, safe='')}"
        try:
            return self._ticket(self._call("GET", path, params={"idProperty": TICKET_KEY}))
        except Refused:
            return None

    def _contact(self, draft: Draft) -> str:
        properties = {"firstname": draft.customer_name, CONTACT_KEY: draft.customer}
        if draft.phone:
            properties["phone"] = draft.phone
        upsert = {"inputs": [{"id": draft.customer, "idProperty": CONTACT_KEY, "properties": properties}]}
        answer = self._call("POST", "/crm/v3/objects/contacts/batch/upsert", json=upsert)
        results = answer.get("results") or []
        if not results:
            raise RetryLater("no contact in the answer")
        return str(results[0]["id"])

    def _make_keys(self) -> None:
        if self._keys_made:
            return
        for kind, name, group in (
            ("tickets", TICKET_KEY, "ticketinformation"),
            ("contacts", CONTACT_KEY, "contactinformation"),
        ):
            try:
                self._call("GET", f"/crm/v3/properties/{kind}/{name}")
            except Refused:
                body = {
                    "name": name, "label": name.replace("_", " "), "type": "string", "fieldType": "text",
                    "groupName": group, "hasUniqueValue": True,
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
        who = "Customer on WhatsApp" if comment.author == "customer" else "Assistant"
        body = {
            "properties": {
                "hs_note_body": f"<b>{who}</b><br>" + html.escape(comment.body).replace("\n", "<br>"),
                "hs_timestamp": dt.datetime.now(dt.timezone.utc).isoformat(),
            },
            "associations": [_association(ticket.id, NOTE_TO_TICKET)],
        }
        return str(self._call("POST", "/crm/v3/objects/notes", json=body)["id"])

    def look(self, ticket: Ticket) -> TicketView:
        found = self._call(
            "GET", f"/crm/v3/objects/tickets/{ticket.id}", params={"properties": "hs_pipeline,hs_pipeline_stage"}
        )
        properties = found.get("properties") or {}
        stage, pipeline = properties.get("hs_pipeline_stage"), properties.get("hs_pipeline") or PIPELINE
        status = "solved" if stage in self._closed(str(pipeline)) else "open"
        notes = [SeenComment(str(note["id"]), _body(note), 0.0, False, True) for note in self._notes(ticket)]
        return TicketView(status, tuple(notes))

    def _closed(self, pipeline: str) -> frozenset[str]:
        if self._closed_stages is None:
            stages = self._call("GET", f"/crm/v3/pipelines/tickets/{pipeline}").get("stages") or []
            self._closed_stages = frozenset(
                str(stage["id"]) for stage in stages if (stage.get("metadata") or {}).get("ticketState") == "CLOSED"
            )
        return self._closed_stages

    def _notes(self, ticket: Ticket) -> list[dict[str, Any]]:
        linked = self._call("GET", f"/crm/v4/objects/tickets/{ticket.id}/associations/notes", params={"limit": 500})
        ids = [{"id": str(row["toObjectId"])} for row in linked.get("results") or []]
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), 100):
            body = {"properties": ["hs_note_body"], "inputs": ids[start : start + 100]}
            found += self._call("POST", "/crm/v3/objects/notes/batch/read", json=body).get("results") or []
        return found

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = http.session({"Authorization": f"Bearer {self._token}"})
        return http.call(session, method, f"{self._base}{path}", **kwargs)


def _body(note: dict[str, Any]) -> str:
    return str((note.get("properties") or {}).get("hs_note_body") or "")


def _association(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}
