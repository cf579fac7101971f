"""What the simulated helpdesk remembers: users, tickets, comments; and the rules that Zendesk has about them."""

import datetime as dt
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

UPDATES_PER_10_MINUTES = 30
EPOCH = 1_760_000_000
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = (None, "low", "normal", "high", "urgent")
AGENT_ID, COLLEAGUE_ID, INTEGRATION_ID = 501, 502, 500
MAX_COMMENT_BYTES = 65_535
KEYS_KEPT_S = 2 * 3600.0


class Rejected(Exception):
    """An answer of Zendesk that is not a success: status, body, seconds for Retry-After."""

    def __init__(
        self,
        status: int,
        error: str,
        description: str = "",
        retry_after: float | None = None,
        details: dict[str, tuple[str, str]] | None = None,
    ) -> None:
        """`details`: a field's description and the name of its error."""
        super().__init__(error)
        self.status, self.retry_after = status, retry_after
        self.body: dict[str, Any] = {"error": error, "description": description or error}
        if details:
            named = {field: [{"description": text, "error": code}] for field, (text, code) in details.items()}
            self.body |= {"description": "Record validation errors", "details": named}


@dataclass
class Ticket:
    """One ticket; `comments` are as the API shows them, oldest first."""

    id: int
    created_at: str
    fields: dict[str, Any]
    comments: list[dict[str, Any]] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As GET /tickets/{id} shows it."""
        return {"id": self.id, "created_at": self.created_at, **self.fields}


def timestamp(at: float | None = None) -> str:
    """Zendesk's spelling of a time."""
    moment = dt.datetime.fromtimestamp(time.time() if at is None else at, dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Tickets:
    """The helpdesk's database, in memory. Its ids go on rising when it restarts, as in a helpdesk that remembers."""

    def __init__(self, first_id: int | None = None) -> None:
        first = int(time.time()) - EPOCH if first_id is None else first_id
        self._ids = itertools.count(first)
        self._comment_ids = itertools.count(first * 1000 + 1)
        self._keys: dict[str, tuple[str, dict[str, Any], float]] = {}
        self.tickets: dict[int, Ticket] = {}
        self.users: dict[int, dict[str, Any]] = {
            INTEGRATION_ID: {"id": INTEGRATION_ID, "name": "Assistant", "role": "admin"},
            AGENT_ID: {"id": AGENT_ID, "name": "Meera", "role": "agent"},
            COLLEAGUE_ID: {"id": COLLEAGUE_ID, "name": "Ravi", "role": "agent"},
        }
        self._user_ids = itertools.count(1001)
        self.deleted: set[int] = set()
        self.refused_fields: set[int] = set()  # ids of ticket fields that do not exist
        self.needs_assignee = False  # as in an account whose tickets nobody solves unassigned

    def recall(self, tickets: list[Ticket], users: list[dict[str, Any]], deleted: list[int]) -> None:
        """What an earlier start knew; new numbers go on above."""
        self.tickets |= {ticket.id: ticket for ticket in tickets}
        self.users |= {int(user["id"]): user for user in users}
        self.deleted |= set(deleted)
        first = max([next(self._ids), *(number + 1 for number in self.tickets)])
        self._ids, self._comment_ids = itertools.count(first), itertools.count(first * 1000 + 1)
        self._user_ids = itertools.count(max([1000, *(number for number in self.users if number > 1000)]) + 1)

    def forget_requester(self, phone: str) -> None:
        """A demo customer starts over: their tickets are gone."""
        theirs = {user["id"] for user in self.users.values() if user.get("phone") == phone}
        for ticket in [one for one in self.tickets.values() if one.fields["requester_id"] in theirs]:
            del self.tickets[ticket.id]

    def upsert_user(self, given: dict[str, Any]) -> dict[str, Any]:
        """Create, or update the user of the same external id."""
        if not given.get("name"):
            raise Rejected(422, "RecordInvalid", "Name: cannot be blank")
        external_id = given.get("external_id")
        for user in self.users.values():
            if external_id and user.get("external_id") == external_id:
                user.update(given)
                return user
        user = {"id": next(self._user_ids), "role": "end-user", **given}
        self.users[user["id"]] = user
        return user

    def create(self, given: dict[str, Any], key: str | None, body: str) -> tuple[dict[str, Any], bool]:
        """The answer to POST /tickets and whether it is a repetition under the same Idempotency-Key."""
        if key and key in self._keys and self._keys[key][2] > time.time() - KEYS_KEPT_S:
            known_body, answer, _ = self._keys[key]
            if known_body != body:
                raise Rejected(400, "IdempotentRequestError", "the key was used with other parameters")
            return answer, True
        comment = given.get("comment") or {}
        if not (comment.get("body") or comment.get("html_body")):
            raise Rejected(422, "RecordInvalid", "Description: cannot be blank")
        self._check_values(given)
        self._check(given)
        answer = self._insert(given, comment)
        if key:
            self._keys[key] = (body, answer, time.time())
        return answer, False

    def _check_values(self, given: dict[str, Any]) -> None:
        """What Zendesk refuses in a new ticket and in a change of one, in its words."""
        comment = given.get("comment") or {}
        words = str(comment.get("body") or comment.get("html_body") or "")
        author = comment.get("author_id")
        staff = given.get("assignee_id")
        wrong = {
            "priority": ("Priority: is not valid", given.get("priority") not in PRIORITIES),
            "status": ("Status: is not valid", given.get("status") not in (None, *STATUSES)),
            "comment": ("Comment body: is too long", len(words.encode()) > MAX_COMMENT_BYTES),
            "author": ("Author: is invalid", author is not None and author not in self.users),
            "assignee": ("Assignee: is invalid", staff is not None and not self.is_staff(staff)),
        }
        if found := {name: (text, "InvalidValue") for name, (text, refused) in wrong.items() if refused}:
            raise Rejected(422, "RecordInvalid", details=found)

    def _check(self, given: dict[str, Any]) -> None:
        """What Zendesk refuses of a new ticket."""
        requester = self.users.get(int(given.get("requester_id") or INTEGRATION_ID))
        if requester is None:
            raise Rejected(422, "RecordInvalid", details={"requester": ("Requester: is invalid", "InvalidValue")})
        if requester.get("suspended"):
            text = f"Requester: {requester['name']} is suspended."
            raise Rejected(422, "RecordInvalid", details={"requester": (text, "UserSuspended")})
        for given_field in given.get("custom_fields") or []:
            if given_field["id"] in self.refused_fields:
                text = f"Custom field {given_field['id']} does not exist"
                raise Rejected(422, "RecordInvalid", details={"custom_fields": (text, "InvalidValue")})
        source = given.get("via_followup_source_id")
        if source is not None and self.find(int(source), 422).fields["status"] != "closed":
            text = "Via followup source: is not a closed ticket"
            raise Rejected(422, "RecordInvalid", details={"via_followup_source_id": (text, "InvalidValue")})

    def _insert(self, given: dict[str, Any], comment: dict[str, Any]) -> dict[str, Any]:
        requester = given.get("requester_id") or INTEGRATION_ID
        if isinstance(given.get("requester"), dict):
            requester = self.upsert_user(dict(given["requester"]))["id"]
        fields: dict[str, Any] = {
            "subject": given.get("subject") or "",
            "priority": given.get("priority"),
            "status": given.get("status") or "new",
            "tags": list(given.get("tags") or []),
            "external_id": given.get("external_id"),
            "requester_id": requester,
            "assignee_id": given.get("assignee_id"),
            "custom_fields": list(given.get("custom_fields") or []),
            "updated_at": timestamp(),
            "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
        }
        if given.get("via_followup_source_id") is not None:
            source = int(given["via_followup_source_id"])
            fields["via"]["source"] = {"from": {"ticket_id": source}, "to": {}, "rel": "follow_up"}
            self.find(source).fields.setdefault("followup_ids", [])
        ticket = Ticket(next(self._ids), timestamp(), fields)
        self.tickets[ticket.id] = ticket
        if given.get("via_followup_source_id") is not None:
            self.find(int(given["via_followup_source_id"])).fields["followup_ids"].append(ticket.id)
        added = self._add_comment(ticket, comment, INTEGRATION_ID)
        return self._audited(ticket, added)

    def update(self, ticket_id: int, given: dict[str, Any], by: int = INTEGRATION_ID) -> dict[str, Any]:
        """The answer to PUT /tickets/{id}."""
        ticket = self.find(ticket_id)
        if ticket.fields["status"] == "closed":
            text = "Status: closed prevents ticket update"
            raise Rejected(422, "RecordInvalid", details={"status": (text, "InvalidValue")})
        if by == INTEGRATION_ID:
            self._count_update(ticket)
        self._check_values(given)
        assignee = given.get("assignee_id", ticket.fields.get("assignee_id"))
        if given.get("status") == "solved" and self.needs_assignee and assignee is None:
            text = "Assignee: is required when solving a ticket"
            raise Rejected(422, "RecordInvalid", details={"base": (text, "BlankValue")})
        added = None
        if given.get("comment"):
            added = self._add_comment(ticket, given["comment"], by)
            if by == AGENT_ID and added["public"] and assignee is None:
                ticket.fields["assignee_id"] = by  # who answers first has it
        for name in ("status", "priority", "subject", "tags", "custom_fields", "assignee_id"):
            if name in given:
                ticket.fields[name] = given[name]
        ticket.fields["updated_at"] = timestamp()
        return self._audited(ticket, added)

    def _count_update(self, ticket: Ticket) -> None:
        now = time.time()
        ticket.updates = [at for at in ticket.updates if at > now - 600]
        if len(ticket.updates) >= UPDATES_PER_10_MINUTES:
            wait = ticket.updates[0] + 600 - now
            raise Rejected(429, "TooManyRequests", "30 updates in 10 minutes", wait)
        ticket.updates.append(now)

    def _add_comment(self, ticket: Ticket, given: dict[str, Any], by: int) -> dict[str, Any]:
        body = str(given.get("body") or given.get("html_body") or "")
        comment = {
            "id": next(self._comment_ids),
            "type": "Comment",
            "author_id": given.get("author_id") or by,
            "body": body,
            "plain_body": body,
            "public": bool(given.get("public", True)),
            "attachments": list(given.get("attachments") or []),
            "created_at": timestamp(),
        }
        ticket.comments.append(comment)
        return comment

    def _audited(self, ticket: Ticket, comment: dict[str, Any] | None) -> dict[str, Any]:
        shown = ("id", "type", "body", "public", "author_id")
        events = [] if comment is None else [{name: comment[name] for name in shown}]
        audit = {"id": 70_000 + ticket.id * 1000 + len(ticket.comments), "ticket_id": ticket.id, "events": events}
        return {"ticket": ticket.shown(), "audit": audit}

    def find(self, ticket_id: int, status: int = 404) -> Ticket:
        """Rejected when there is none, or none any more."""
        ticket = self.tickets.get(ticket_id)
        if ticket is None or ticket_id in self.deleted:
            raise Rejected(status, "RecordNotFound" if status == 404 else "RecordInvalid", "Not found")
        return ticket

    def retag(self, ticket_id: int, tags: list[str], add: bool) -> list[str]:
        """The answer to PUT (add) and DELETE /tickets/{id}/tags."""
        ticket = self.find(ticket_id)
        if ticket.fields["status"] == "closed":
            raise Rejected(422, "RecordInvalid", details={"status": ("Status: closed", "InvalidValue")})
        there = [tag for tag in ticket.fields["tags"] if tag not in tags]
        ticket.fields["tags"] = [*there, *tags] if add else there
        return list(ticket.fields["tags"])

    def merge(self, ticket_id: int, into: int) -> None:
        """An agent merges a ticket into another: it is closed for good and says where it went."""
        source, target = self.find(ticket_id), self.find(into)
        if source is target or "closed" in (source.fields["status"], target.fields["status"]):
            raise Rejected(422, "RecordInvalid", details={"base": ("Merge: is not possible", "InvalidValue")})
        for ticket, text in (
            (source, f"This request was closed and merged into request #{into}."),
            (target, f"Request #{ticket_id} was closed and merged into this request."),
        ):
            self._add_comment(ticket, {"body": text, "public": False}, AGENT_ID)
        source.fields |= {"status": "closed", "tags": [*source.fields["tags"], "closed_by_merge"]}

    def mark_as_spam(self, ticket_id: int) -> None:
        """Zendesk deletes the ticket and suspends who asked for it."""
        requester = self.users.get(self.find(ticket_id).fields["requester_id"])
        self.deleted.add(ticket_id)
        if requester is not None and requester["role"] == "end-user":
            requester["suspended"] = True

    def is_staff(self, user_id: int) -> bool:
        return bool(self.users.get(user_id, {}).get("role") in ("agent", "admin"))
