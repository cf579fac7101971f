"""Zendesk, through zenpy (GPLv3: imported here and nowhere else, and only when Zendesk is configured).

What zenpy would do by itself and must not: cache tickets for 30 s, send a PUT again after a timeout (a comment twice),
sleep through a 429 without limit (and crash on `Retry-After: 1.5`), share half-sent objects between threads. So: no
cache, one client a thread, and a session that never repeats, judges the answer before zenpy sees it, and
knows the base URL (zenpy only knows https://{subdomain}.zendesk.com).

Zendesk itself: `Idempotency-Key` holds for two hours and only for creating tickets; comments have none. Phone numbers
belong to users, not to the ticket's requester field. A first comment is public unless told otherwise, and the last
choice becomes the default of the ticket.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, CustomField, User
from zenpy.lib.api_objects import Ticket as ZendeskTicket
from zenpy.lib.exception import APIException, RecordNotFoundException, ZenpyException

from handoff.helpdesks.interface import (
    IN_OUR_NAME,
    NOT_IN_THEIR_NAME,
    THEY_WROTE,
    Draft,
    Gone,
    HelpdeskError,
    NewComment,
    Refused,
    RetryLater,
    SeenComment,
    Ticket,
    TicketView,
)
from handoff.helpdesks.zendesk_events import fullest
from handoff.helpdesks.zendesk_login import ACCOUNT, TIMEOUT_S, Login, Session, login
from settings import Settings, SettingsError

log = logging.getLogger(__name__)
logging.getLogger("zenpy").setLevel(logging.INFO)  # at DEBUG it logs whole tickets

UNREADABLE = (APIException, ZenpyException, requests.RequestException, ValueError, AttributeError, TypeError, KeyError)


class Zendesk:
    """A Helpdesk."""

    name = "zendesk"

    def __init__(self, url: str, login: Login, order_field: str | None = None) -> None:
        self._base = url.rstrip("/")
        self._login, self._order_field = login, int(order_field) if order_field else None
        self._threads = threading.local()

    @classmethod
    def from_settings(cls, configured: Settings) -> Zendesk:
        """Raises SettingsError."""
        if not configured.zendesk_url:
            raise SettingsError("TICKETING is zendesk, but ZENDESK_URL is not set.")
        field = configured.zendesk_order_field_id
        if field and not field.isdecimal():
            raise SettingsError("ZENDESK_ORDER_FIELD_ID must be the number of a ticket field.")
        return cls(configured.zendesk_url, login(configured), configured.zendesk_order_field_id)

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        with self._client() as (zenpy, session):
            if tried_before:
                found = self._find(zenpy, draft.external_id)
                if found is not None:
                    return found
            requester = self._requester(zenpy, draft)
            without: list[str] = []
            while True:
                session.idempotency_key = ":".join([draft.external_id, *without])
                try:
                    return self._create(zenpy, draft, requester, without)
                except Refused as error:
                    found = self._find(zenpy, draft.external_id)
                    if found is not None:
                        return found
                    if "Idempotent" in str(error):
                        # The key remembers another body: an attempt whose answer was lost, worded differently.
                        raise RetryLater("idempotency key in use", 60.0) from error
                    doubtful = self._doubtful(draft, without, error)
                    if doubtful is None:
                        raise
                    log.error("zendesk.ticket.refused error=%s; opening it without its %s", error, doubtful)
                    without.append(doubtful)

    def _doubtful(self, draft: Draft, without: list[str], error: Refused) -> str | None:
        """What to leave out next: what Zendesk complains about, else what shops most often get wrong."""
        named = " ".join(error.fields)
        parts = {
            "order_field": bool(self._order_field and draft.order_number),
            "follow_up": draft.follows is not None,
            "requester": True,
        }
        left = [part for part, used in parts.items() if used and part not in without]
        for part, words in (("requester", ("requester",)), ("follow_up", ("via_followup", "followup_source"))):
            if part in left and any(word in named for word in words):
                return part
        return next(iter(left), None)

    def _create(self, zenpy: Any, draft: Draft, requester: Any, without: Sequence[str]) -> Ticket:
        note, tags = draft.note, list(draft.tags)
        if "requester" in without:
            note = f"{NOT_IN_THEIR_NAME.format(helpdesk='Zendesk', name=draft.customer_name)}\n\n{note}"
            tags.append(IN_OUR_NAME)
        ticket = ZendeskTicket(
            subject=draft.subject,
            comment=Comment(body=note, public=False),
            priority=draft.priority,
            tags=tags,
            external_id=draft.external_id,
        )
        if "requester" not in without and isinstance(requester, User):
            ticket.requester = requester
        elif "requester" not in without:
            ticket.requester_id = requester
        if self._order_field and draft.order_number and "order_field" not in without:
            ticket.custom_fields = [CustomField(id=self._order_field, value=draft.order_number)]
        if draft.follows and "follow_up" not in without:
            ticket.via_followup_source_id = int(draft.follows)
        audit = zenpy.tickets.create(ticket)
        return self._ticket(getattr(audit, "ticket", audit), tuple(without))

    def _requester(self, zenpy: Any, draft: Draft) -> Any:
        """The customer's user id, found again by external id whatever number they write from; else a bare User."""
        external_id = f"whatsapp:{draft.customer}"
        user = User(name=draft.customer_name, external_id=external_id, verified=True)
        if draft.phone:
            user.phone = draft.phone
        plain = User(name=draft.customer_name, external_id=external_id)
        for candidate in (user, plain) if draft.phone else (plain,):
            try:
                return zenpy.users.create_or_update(candidate).id
            except (Refused, AttributeError) as error:
                log.warning("zendesk.user.refused error=%s", error if isinstance(error, Refused) else "no id")
        log.error("zendesk.user.missing; the ticket names the customer itself")
        return User(name=draft.customer_name)

    def _find(self, zenpy: Any, external_id: str) -> Ticket | None:
        try:
            for ticket in zenpy.tickets(external_id=external_id):
                if ticket.external_id == external_id:
                    return self._ticket(ticket)
        except Refused:
            return None
        return None

    def _ticket(self, ticket: Any, without: tuple[str, ...] = ()) -> Ticket:
        ours = "requester" in without or IN_OUR_NAME in (getattr(ticket, "tags", None) or ())
        requester = None if ours else getattr(ticket, "requester_id", None)
        url = f"{self._base}/agent/tickets/{ticket.id}"
        return Ticket(str(ticket.id), url, str(requester) if requester else None, without)

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        with self._client() as (zenpy, _):
            if tried_before:
                for seen in zenpy.tickets.comments(ticket=int(ticket.id)):
                    if comment.marker in _text(seen):
                        return str(seen.id)
            in_their_name = comment.author == "customer" and ticket.requester_id is not None
            try:
                made = self._comment(zenpy, ticket, comment, in_their_name)
            except Refused as error:
                if self._is_gone(zenpy, ticket):
                    raise Gone(str(error)) from error
                if comment.status == "solved":
                    # Without an assignee, or with a field that solving requires: an agent has to solve it.
                    log.warning("zendesk.ticket.not_solved error=%s; leaving it pending", error)
                    comment = replace(comment, status="pending")
                elif not in_their_name:
                    raise
                else:
                    log.error("zendesk.comment.refused error=%s; adding it as a note of ours", error)
                made = self._comment(zenpy, ticket, comment, False)
            self._retag(zenpy, ticket, comment)
            return made

    def _comment(self, zenpy: Any, ticket: Ticket, comment: NewComment, in_their_name: bool) -> str | None:
        """Words in the customer's name are public; where that cannot be, they are a private note that says whose."""
        body = comment.body if in_their_name or comment.author == "assistant" else f"{THEY_WROTE}\n{comment.body}"
        new = Comment(body=body, public=in_their_name)
        if in_their_name:
            new.author_id = int(str(ticket.requester_id))
        changed = ZendeskTicket(id=int(ticket.id), comment=new)
        if comment.status:
            changed.status = comment.status
        if comment.priority:
            changed.priority = comment.priority
        return _comment_id(zenpy.tickets.update(changed))

    def _retag(self, zenpy: Any, ticket: Ticket, comment: NewComment) -> None:
        """Tags are for the shop's own views and rules: what goes wrong with them must not repeat the comment."""
        try:
            if comment.add_tag:
                zenpy.tickets.add_tags(int(ticket.id), [comment.add_tag])
            if comment.remove_tag:
                zenpy.tickets.delete_tags(int(ticket.id), [comment.remove_tag])
        except (HelpdeskError, *UNREADABLE) as error:
            log.warning("zendesk.tags.not_changed error=%s", type(error).__name__)

    def _is_gone(self, zenpy: Any, ticket: Ticket) -> bool:
        try:
            return str(zenpy.tickets(id=int(ticket.id)).status).lower() in ("closed", "deleted")
        except (Refused, RecordNotFoundException):
            return True

    def read_ticket(self, ticket: Ticket) -> TicketView:
        with self._client() as (zenpy, _):
            try:
                status = str(zenpy.tickets(id=int(ticket.id)).status).lower()
            except (Refused, RecordNotFoundException) as error:
                raise Gone("deleted") from error
            comments = list(zenpy.tickets.comments(ticket=int(ticket.id)))
            staff = self._staff(zenpy, {comment.author_id for comment in comments}, ticket)
            return TicketView(
                {"solved": "solved", "closed": "closed", "deleted": "closed"}.get(status, "open"),
                tuple(_seen(comment, comment.author_id in staff) for comment in comments),
            )

    def _staff(self, zenpy: Any, authors: set[Any], ticket: Ticket) -> set[Any]:
        """Those of the authors who are agents or administrators."""
        others = {author for author in authors if author and str(author) != str(ticket.requester_id)}
        if not others:
            return set()
        try:
            users = list(zenpy.users(ids=sorted(others)))
        except Refused:
            log.warning("zendesk.users.refused; whoever is not the customer counts as staff")
            return others
        return {user.id for user in users if str(user.role) in ("agent", "admin")}

    @contextmanager
    def _client(self) -> Iterator[tuple[Any, Session]]:
        """This thread's client. What zenpy raises arrives as HelpdeskError."""
        if not hasattr(self._threads, "client"):
            session = Session(self._base, self._login)
            client = Zenpy(subdomain=ACCOUNT, session=session, disable_cache=True, timeout=TIMEOUT_S[1])
            self._threads.client = (client, session)
        zenpy, session = self._threads.client
        session.idempotency_key = None
        try:
            yield zenpy, session
        except HelpdeskError:
            raise
        except RecordNotFoundException as error:
            raise Refused("not found") from error
        except UNREADABLE as error:
            # An answer that is not what Zendesk sends: a proxy's page, an empty body.
            raise RetryLater(f"unreadable answer ({type(error).__name__})") from error
        finally:
            session.idempotency_key = None


def _text(comment: Any) -> str:
    return str(getattr(comment, "plain_body", None) or getattr(comment, "body", None) or "")


def _seen(comment: Any, by_staff: bool) -> SeenComment:
    spellings = (str(getattr(comment, name, None) or "") for name in ("body", "html_body"))
    files = [getattr(file, "content_url", None) for file in getattr(comment, "attachments", None) or []]
    at = getattr(comment, "created_at", None)
    return SeenComment.read(comment.id, at, bool(comment.public), by_staff, _text(comment), fullest(*spellings), files)


def _comment_id(audit: Any) -> str | None:
    events = getattr(getattr(audit, "audit", None), "events", None) or []
    for event in events:
        kind = event.get("type") if isinstance(event, dict) else getattr(event, "type", None)
        if kind == "Comment":
            return str(event["id"] if isinstance(event, dict) else event.id)
    return None
