"""The helpdesk's account: its tickets and webhooks, who may call it, and the bad days that tests order."""

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from twin.helpdesk.tickets import AGENT_ID, Rejected, Tickets
from twin.helpdesk.webhooks import Webhooks, comment_added, status_changed, tags_changed

BACK_TAG = "back_to_assistant"
CALLS_A_MINUTE = 700  # of the API, as an Enterprise account has
FAULTS = ("error", "hang", "slow", "accept_then_hang", "accept_then_reset", "reset", "html")


@dataclass
class HelpdeskFault:
    """A bad day: error (`status`, `retry_after`), hang or reset before anything happens, or after it did; html answers;
    slow answers, after `seconds`.

    `times` counts down (None: until cleared); `path` must occur in the call's path; `method` None is any.
    """

    kind: str
    times: int | None = 1
    path: str = ""
    method: str | None = None
    status: int = 500
    seconds: float = 30.0
    retry_after: str | None = None

    def hits(self, request: web.Request) -> bool:
        return self.times != 0 and self.path in request.path and self.method in (None, request.method)


@dataclass(frozen=True)
class AttachedFile:
    """What an agent attached to a comment."""

    name: str
    content_type: str
    content: bytes


class Helpdesk:
    """The account: tickets, webhooks, credentials."""

    def __init__(
        self,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        token: str | None = None,
        first_id: int | None = None,
        client: tuple[str, str] | None = None,
    ) -> None:
        self.tickets = Tickets(first_id)
        self.webhooks = Webhooks(webhook_url, webhook_secret)
        self.faults: list[HelpdeskFault] = []
        self.calls: list[dict[str, Any]] = []
        self.files: dict[str, AttachedFile] = {}
        self.calls_a_minute = CALLS_A_MINUTE
        self._minute: list[float] = []
        self._token, self._client = token, client
        self._issued: set[str] = set()

    def issue_token(self, given: dict[str, Any]) -> str:
        """What POST /oauth/tokens gives the OAuth client `client`, an id and its secret."""
        known = (given.get("client_id"), given.get("client_secret")) == self._client
        if given.get("grant_type") != "client_credentials" or not known:
            raise Rejected(401, "invalid_client")
        token = secrets.token_hex(16)
        self._issued.add(token)
        return token

    def revoke_tokens(self) -> None:
        """As when they expire."""
        self._issued.clear()
        self._token = self._token and secrets.token_hex(16)

    def allows(self, request: web.Request) -> bool:
        """Bearer {token} or one that was issued, or e-mail/token as a password."""
        given = request.headers.get("Authorization", "")
        if given.removeprefix("Bearer ") in self._issued:
            return True
        if self._token is None and self._client is None:
            return bool(given)
        basic = base64.b64decode(given[6:]).decode() if given.startswith("Basic ") else ""
        return given == f"Bearer {self._token}" or basic.endswith(f"/token:{self._token}")

    def limit(self) -> tuple[int, float]:
        """How many calls of this minute are left after this one, -1 for one too many; seconds until there are more."""
        now = time.monotonic()
        self._minute = [at for at in self._minute if at > now - 60]
        if len(self._minute) >= self.calls_a_minute:
            return -1, self._minute[0] + 60 - now
        self._minute.append(now)
        return self.calls_a_minute - len(self._minute), 60.0

    def take_fault(self, request: web.Request) -> HelpdeskFault | None:
        """The fault that hits this call, counted down; None on a good day."""
        fault = next((one for one in self.faults if one.hits(request)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
        return fault

    def add_file(self, name: str, content_type: str, content: bytes) -> str:
        """Keep a file that an agent attaches; its token."""
        token = secrets.token_urlsafe(18)
        self.files[token] = AttachedFile(name, content_type, content)
        return token

    def _named(self, url: str) -> dict[str, Any]:
        file = self.files.get(url.rpartition("/?")[0].rpartition("/")[2])
        if file is None:
            return {"file_name": url.rsplit("/", 1)[-1]}
        return {"file_name": file.name, "content_type": file.content_type, "size": len(file.content)}

    def reply(self, ticket_id: int, body: str, public: bool, status: str | None, files: list[str]) -> dict[str, Any]:
        """An agent comments, and perhaps sets the status in the same step."""
        ticket = self.tickets.find(ticket_id)
        previous = ticket.fields["status"]
        attachments = [{"content_url": url, **self._named(url)} for url in files]
        given: dict[str, Any] = {"status": status or ("open" if previous == "new" else previous)}
        if body or files:
            given["comment"] = {"body": body, "public": public, "attachments": attachments}
        answer = self.tickets.update(ticket_id, given, by=AGENT_ID)
        if body or files:
            self.webhooks.send(comment_added(self.tickets, ticket, ticket.comments[-1]))
        if ticket.fields["status"] != previous:
            self.webhooks.send(status_changed(ticket, previous))
        return answer

    def give_back(self, ticket_id: int) -> dict[str, Any]:
        """An agent leaves the customer to the assistant, without solving the ticket."""
        ticket = self.tickets.find(ticket_id)
        answer = self.tickets.update(ticket_id, {"tags": [*ticket.fields["tags"], BACK_TAG]}, by=AGENT_ID)
        self.webhooks.send(tags_changed(ticket, [BACK_TAG]))
        return answer


HELPDESK = web.AppKey("helpdesk", Helpdesk)
