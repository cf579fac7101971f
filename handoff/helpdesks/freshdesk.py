"""Freshdesk (API v2).

Customer's words and our notes are notes of the ticket; `/reply` is never used, because Freshdesk e-mails it. Creating
has no idempotency key: the ticket carries a tag made of the external id, and the requester's tickets are listed (not
searched: the index lags) to find one whose answer was lost. Agents' public notes and replies are read by polling;
its webhooks are unsigned and not listened to.
"""

from __future__ import annotations

import datetime as dt
import html
import logging
from typing import Any

from handoff.helpdesks import http_answers
from handoff.helpdesks.interface import (
    IN_OUR_NAME,
    NOT_IN_THEIR_NAME,
    THEY_WROTE,
    Draft,
    Gone,
    HelpdeskError,
    NewComment,
    Refused,
    SeenComment,
    Ticket,
    TicketView,
)
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

PRIORITY = {"normal": 2, "high": 3, "urgent": 4}
STATUS = {"open": 2, "pending": 3, "solved": 4}
STOPGAP = "WhatsApp"
OPEN, RESOLVED, CLOSED = 2, 4, 5
SOURCE_CHAT = 7
PAGE = 100
MAX_PAGES = 100
OURS = "whatsapp:assistant"  # the requester of tickets whose customer Freshdesk does not take


class Freshdesk:
    """A Helpdesk."""

    name = "freshdesk"

    def __init__(self, url: str, api_key: str, order_field: str | None = None) -> None:
        self._base, self._order_field = url.rstrip("/"), order_field
        self._call = http_answers.Api(f"{self._base}/api/v2", {}, (api_key, "X")).call

    @classmethod
    def from_settings(cls, configured: Settings, order_field: str | None = None) -> Freshdesk:
        """Raises SettingsError."""
        if not (configured.freshdesk_url and configured.freshdesk_api_key):
            raise SettingsError("Set FRESHDESK_URL and FRESHDESK_API_KEY for Freshdesk.")
        return cls(configured.freshdesk_url, configured.freshdesk_api_key, order_field)

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        requester = f"whatsapp:{draft.customer}"
        tag = _tag(draft.external_id)
        ticket = (self._find(requester, tag) or self._find(OURS, tag)) if tried_before else None
        ticket = ticket or self._create(draft, requester, tag)
        # The description is shown to the customer in Freshdesk's portal, so what agents need is a note of its own.
        marker, note = f"{draft.reference}/0", draft.note
        if ticket.requester_id is None:
            note = f"{NOT_IN_THEIR_NAME.format(helpdesk='Freshdesk', name=draft.customer_name)}\n\n{note}"
        self.add_comment(ticket, NewComment("assistant", f"{note}\n\n({marker})", marker), tried_before)
        return ticket

    def _create(self, draft: Draft, requester: str, tag: str) -> Ticket:
        body: dict[str, Any] = {
            "subject": draft.subject,
            "description": html.escape(draft.reference + ": a customer on WhatsApp asks for a person."),
            "unique_external_id": requester,
            "name": draft.customer_name,
            "phone": draft.phone,
            "priority": PRIORITY[draft.priority],
            "status": OPEN,
            "source": SOURCE_CHAT,
            "tags": [*draft.tags, tag],
        }
        if self._order_field and draft.order_number:
            body["custom_fields"] = {self._order_field: draft.order_number}
        if draft.follows:
            body["tags"].append(f"follows-{draft.follows}"[:32])
        without: list[str] = []
        while True:
            try:
                return self._post(body, tuple(without))
            except Refused as error:
                changed = self._mend(body, error, without)
                if changed is None:
                    raise
                log.error("freshdesk.ticket.refused error=%s; asking again, changed: %s", error, changed)
                without.append(changed)

    def _mend(self, body: dict[str, Any], error: Refused, tried: list[str]) -> str | None:
        """Change what Freshdesk complains about: a mandatory field gets a stopgap, a doubtful one is left out.

        Returns the field's name; None when nothing is left to try. No field may cost the ticket.
        """
        for field, _, code in (each.partition(":") for each in error.fields):
            custom = body.setdefault("custom_fields", {})
            if code == "missing_field" and field not in body and field not in custom and field not in tried:
                (custom if field.startswith("cf_") else body)[field] = self._stopgap(field)
                return field
        for doubtful in ("custom_fields", "phone"):
            if body.get(doubtful):
                del body[doubtful]
                return doubtful
        if "requester" in tried:
            return None
        body |= {"unique_external_id": OURS, "name": "WhatsApp assistant", "tags": [*body["tags"], IN_OUR_NAME]}
        return "requester"

    def _stopgap(self, field: str) -> Any:
        """A value for a field that the shop made mandatory; agents see what it is."""
        try:
            known = self._call("GET", "/ticket_fields")
        except Refused:
            return STOPGAP
        found: dict[str, Any] = next((each for each in known if each.get("name") == field), {})
        choices = found.get("choices")
        if choices:
            return next(iter(choices))
        today = dt.datetime.now(dt.timezone.utc).date().isoformat()
        kinds: dict[str, Any] = {
            "custom_checkbox": True, "custom_number": 0, "custom_decimal": 0, "custom_date": today,
        }  # fmt: skip
        return kinds.get(str(found.get("type")), STOPGAP)

    def _post(self, body: dict[str, Any], without: tuple[str, ...]) -> Ticket:
        made = self._call("POST", "/tickets", json={key: value for key, value in body.items() if value})
        if (made.get("spam") or made.get("deleted")) and "requester" not in without:
            raise Refused("taken for spam")  # of a contact who is: nobody would see it
        return self._ticket(made, without)

    def _find(self, requester: str, tag: str) -> Ticket | None:
        try:
            tickets = self._call("GET", "/tickets", params={"unique_external_id": requester, "per_page": PAGE})
        except Refused:  # no such requester: nothing was created
            return None
        return next((self._ticket(ticket) for ticket in tickets if tag in _tags(ticket)), None)

    def _ticket(self, ticket: dict[str, Any], without: tuple[str, ...] = ()) -> Ticket:
        requester = None if IN_OUR_NAME in _tags(ticket) else ticket.get("requester_id")
        url = f"{self._base}/a/tickets/{ticket['id']}"
        return Ticket(str(ticket["id"]), url, str(requester) if requester else None, without)

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        if tried_before:
            for seen in self._conversations(ticket):
                if comment.marker in str(seen.get("body_text") or ""):
                    return str(seen["id"])
        body: dict[str, Any] = {"body": _as_html(comment.body), "private": True}
        if comment.author == "customer":
            if self._status(ticket) == "closed":
                raise Gone("closed")  # Freshdesk would take the note, and nobody would see it
            if ticket.requester_id:
                body |= {"user_id": int(ticket.requester_id), "private": False}
            else:
                body["body"] = _as_html(f"{THEY_WROTE}\n{comment.body}")
        try:
            made = self._call("POST", f"/tickets/{ticket.id}/notes", json=body)
        except Refused as error:
            if self._status(ticket) == "closed":
                raise Gone(str(error)) from error
            raise
        self._change(ticket, comment)
        return str(made["id"])

    def _change(self, ticket: Ticket, comment: NewComment) -> None:
        """Status and priority; what goes wrong with them must not repeat the comment."""
        changes = {"status": STATUS.get(comment.status or ""), "priority": PRIORITY.get(comment.priority or "")}
        changes = {name: value for name, value in changes.items() if value}
        try:
            if changes:
                self._call("PUT", f"/tickets/{ticket.id}", json=changes)
        except HelpdeskError as error:
            log.warning("freshdesk.ticket.not_changed error=%s", error)

    def _status(self, ticket: Ticket) -> str:
        """open, solved or closed; what was deleted or marked as spam counts as closed."""
        try:
            found = self._call("GET", f"/tickets/{ticket.id}")
        except Refused:
            return "closed"
        if found.get("deleted") or found.get("spam"):
            return "closed"
        return {RESOLVED: "solved", CLOSED: "closed"}.get(found.get("status"), "open")

    def read_ticket(self, ticket: Ticket) -> TicketView:
        status = self._status(ticket)
        try:
            return TicketView(status, tuple(_seen(comment, ticket) for comment in self._conversations(ticket)))
        except Refused as error:
            if status == "closed":
                raise Gone(str(error)) from error
            raise

    def _conversations(self, ticket: Ticket) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, MAX_PAGES + 1):
            part = self._call(
                "GET", f"/tickets/{ticket.id}/conversations", params={"per_page": PAGE, "page": page}
            )
            found += part
            if len(part) < PAGE:
                break
        return found


def _tags(ticket: dict[str, Any]) -> list[str]:
    """None of one that was deleted or is spam: what we look for is not there."""
    return [] if ticket.get("spam") or ticket.get("deleted") else ticket.get("tags") or []


def _tag(external_id: str) -> str:
    return external_id.replace("handoff:", "handoff-")[:32]


def _as_html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _seen(comment: dict[str, Any], ticket: Ticket) -> SeenComment:
    by_customer = bool(comment.get("incoming")) or str(comment.get("user_id")) == str(ticket.requester_id)
    text = str(comment.get("body_text") or "")
    return SeenComment.read(
        comment["id"], comment.get("created_at"), not comment.get("private", True), not by_customer, text,
        str(comment.get("body") or text), [file.get("attachment_url") for file in comment.get("attachments") or []],
    )  # fmt: skip
