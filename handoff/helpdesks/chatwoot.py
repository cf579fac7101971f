"""Chatwoot (application API v1): a takeover is a conversation in an inbox of the kind API.

There the customer's words are incoming messages and ours are private notes; what agents write as a reply goes to the
customer. Creating has no idempotency key: the conversation carries the external id, and the contact's newest
conversations are listed to find one whose answer was lost. Agents' words are read by polling; its webhooks are unsigned
in most releases and not listened to.
"""

from __future__ import annotations

import logging
from typing import Any

from handoff.helpdesks import http_answers
from handoff.helpdesks.interface import Draft, Gone, HelpdeskError, NewComment, Refused, SeenComment, Ticket, TicketView
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

PRIORITY = {"normal": "medium", "high": "high", "urgent": "urgent"}
STATUS = {"open": "open", "pending": "pending", "solved": "resolved"}
INCOMING, OUTGOING = 0, 1  # others are Chatwoot's own: what happened, greetings, surveys
EXTERNAL_ID = "assistant_handoff_id"
PAGE, MAX_PAGES = 100, 100


class Chatwoot:
    """A Helpdesk."""

    name = "chatwoot"

    def __init__(self, url: str, account_id: str, inbox_id: str, token: str) -> None:
        self._page = f"{url.rstrip('/')}/app/accounts/{account_id}/conversations"
        self._inbox = int(inbox_id)
        base = f"{url.rstrip('/')}/api/v1/accounts/{account_id}"
        self._call = http_answers.Api(base, {"api_access_token": token}).call

    @classmethod
    def from_settings(cls, configured: Settings) -> Chatwoot:
        """Raises SettingsError."""
        names = ("CHATWOOT_URL", "CHATWOOT_ACCOUNT_ID", "CHATWOOT_INBOX_ID", "CHATWOOT_ACCESS_TOKEN")
        values = [configured.values[name] or "" for name in names]
        if not all(values) or not (values[1] + values[2]).isascii() or not (values[1] + values[2]).isdigit():
            raise SettingsError(f"Set {', '.join(names)} for Chatwoot; the two ids are the numbers in its addresses.")
        return cls(*values)

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        contact, without = self._contact(draft)
        ticket = self._find(contact, draft.external_id) if tried_before else None
        ticket = ticket or self._create(draft, contact, without)
        changes = NewComment("assistant", "", "", priority=draft.priority)
        self._change(ticket, changes, draft.tags)
        return ticket

    def _contact(self, draft: Draft) -> tuple[int, tuple[str, ...]]:
        """The customer's id there, by our id of them or by their number; and what of them it refused."""
        known = {"identifier": f"whatsapp:{draft.customer}", "phone_number": draft.phone}
        for name, value in known.items():
            found = self._call("GET", "/contacts/search", params={"q": value})["payload"] if value else []
            contact = next((each for each in found if each.get(name) == value), None)
            if contact:
                return int(contact["id"]), ()
        body = {"name": draft.customer_name, **known}
        try:
            made = self._call("POST", "/contacts", json=body)
        except Refused as error:
            if not draft.phone:
                raise
            log.error("chatwoot.contact.refused error=%s; asking again without the number", error)
            made = self._call("POST", "/contacts", json=body | {"phone_number": None})
            return int(made["payload"]["contact"]["id"]), ("phone",)
        return int(made["payload"]["contact"]["id"]), ()

    def _create(self, draft: Draft, contact: int, without: tuple[str, ...]) -> Ticket:
        about = {
            EXTERNAL_ID: draft.external_id, "ticket": draft.reference, "order_number": draft.order_number,
            "follows": draft.follows,
        }  # fmt: skip
        note = {"content": f"{draft.subject}\n\n{draft.note}", "message_type": "outgoing", "private": True}
        body = {
            "inbox_id": self._inbox,
            "contact_id": contact,
            # A way to the contact for each conversation: contacts that agents merge would contend for one.
            "source_id": draft.external_id,
            "status": "open",
            "custom_attributes": {name: value for name, value in about.items() if value},
            "message": note,  # with the conversation, in one transaction
        }
        made = self._call("POST", "/conversations", json=body)
        if made.get("status") not in (None, "open"):
            # A blocked contact's begins as resolved, one of an inbox with a bot as the bot's: no agent would see it.
            self._change(self._ticket(made, contact), NewComment("assistant", "", "", status="open"))
        return self._ticket(made, contact, without)

    def _find(self, contact: int, external_id: str) -> Ticket | None:
        found = self._call("GET", f"/contacts/{contact}/conversations")["payload"]
        ours = (each for each in found if (each.get("custom_attributes") or {}).get(EXTERNAL_ID) == external_id)
        return next((self._ticket(each, contact) for each in ours), None)

    def _ticket(self, made: dict[str, Any], contact: int, without: tuple[str, ...] = ()) -> Ticket:
        return Ticket(str(made["id"]), f"{self._page}/{made['id']}", str(contact), without)

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        if tried_before:
            for seen in self._messages(ticket):
                if comment.marker in str(seen.get("content") or ""):
                    return str(seen["id"])
        theirs = comment.author == "customer"
        body = {"content": comment.body, "message_type": "incoming" if theirs else "outgoing", "private": not theirs}
        try:
            made = self._call("POST", f"/conversations/{ticket.id}/messages", json=body)
        except Refused:
            self._status(ticket)  # raises Gone for one that is not there
            raise
        self._change(ticket, comment)
        return str(made["id"])

    def _change(self, ticket: Ticket, comment: NewComment, add_tags: tuple[str, ...] = ()) -> None:
        """Status, priority and labels; what goes wrong with them must not repeat the comment."""
        path, add = f"/conversations/{ticket.id}", {*add_tags, *filter(None, [comment.add_tag])}
        try:
            if comment.status:
                self._call("POST", f"{path}/toggle_status", json={"status": STATUS[comment.status]})
            if comment.priority:
                self._call("POST", f"{path}/toggle_priority", json={"priority": PRIORITY[comment.priority]})
            if add or comment.remove_tag:
                labels = {*self._call("GET", f"{path}/labels")["payload"]}
                wanted = (labels | add) - {comment.remove_tag}
                if wanted != labels:
                    self._call("POST", f"{path}/labels", json={"labels": sorted(wanted)})
        except (HelpdeskError, KeyError, TypeError) as error:
            log.warning("chatwoot.conversation.not_changed error=%s", error)

    def _status(self, ticket: Ticket) -> str:
        try:
            found = self._call("GET", f"/conversations/{ticket.id}")
        except Refused as error:
            raise Gone(str(error)) from error
        return "solved" if found.get("status") == "resolved" else "open"

    def read_ticket(self, ticket: Ticket) -> TicketView:
        status = self._status(ticket)
        said = (seen for seen in self._messages(ticket) if seen.get("message_type") in (INCOMING, OUTGOING))
        return TicketView(status, tuple(_seen(each) for each in said if not _is_deleted(each)))

    def _messages(self, ticket: Ticket) -> list[dict[str, Any]]:
        """All messages, the oldest first."""
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            after = max((int(each["id"]) for each in found), default=0)
            part = self._call("GET", f"/conversations/{ticket.id}/messages", params={"after": after})["payload"]
            found += part
            if len(part) < PAGE:
                break
        return found


def _is_deleted(message: dict[str, Any]) -> bool:
    return bool((message.get("content_attributes") or {}).get("deleted"))


def _seen(message: dict[str, Any]) -> SeenComment:
    public, by_staff = not message.get("private", True), message.get("message_type") == OUTGOING
    text = str(message.get("content") or "")
    files = [each.get("data_url") for each in message.get("attachments") or []]
    return SeenComment.read(message["id"], message.get("created_at"), public, by_staff, text, text, files)
