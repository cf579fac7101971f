"""A stand-in for Zendesk over HTTP: the API calls that the assistant makes, an agent's desk, and faults on demand.

`create_app(...)` is an aiohttp application of its own, `mount(...)` adds it to another. The API is under
`/api/v2`, what people and tests do with it under `/desk`:

    GET  /desk/tickets                    every ticket with its comments and requester
    POST /desk/tickets/{id}/reply         {"body", "public": true, "status": null, "attachments": [url]}
    POST /desk/tickets/{id}/status        {"status"}
    POST /desk/tickets/{id}/merge         {"into": id}
    POST /desk/tickets/{id}/delete
    POST /desk/tickets/{id}/spam          deletes it and suspends the requester
    POST /desk/users/{id}                 {"suspended"}
    POST /desk/fields                     {"refused": [ids of ticket fields that do not exist]}
    POST /desk/faults                     the fields of HelpdeskFault, "kind" at least
    DELETE /desk/faults
    POST /desk/webhooks                   {"lost", "twice", "hold"}; turning hold off sends what was held, newest first
    GET  /desk/calls                      [{"method", "path", "status", "idempotency_key"}]
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from twin.helpdesk.tickets import AGENT_ID, STATUSES, Rejected, Tickets
from twin.helpdesk.webhooks import Webhooks, comment_added, status_changed

FAULTS = ("error", "hang", "accept_then_hang", "accept_then_reset", "reset", "html")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class HelpdeskFault:
    """A bad day: error (`status`, `retry_after`), hang or reset before anything happens, or after it did; html answers.

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

    def take_fault(self, request: web.Request) -> HelpdeskFault | None:
        for fault in self.faults:
            if fault.hits(request):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def reply(self, ticket_id: int, body: str, public: bool, status: str | None, files: list[str]) -> dict[str, Any]:
        """An agent comments, and perhaps sets the status in the same step."""
        ticket = self.tickets.find(ticket_id)
        previous = ticket.fields["status"]
        attachments = [{"content_url": url, "file_name": url.rsplit("/", 1)[-1]} for url in files]
        given: dict[str, Any] = {"status": status or ("open" if previous == "new" else previous)}
        if body or files:
            given["comment"] = {"body": body, "public": public, "attachments": attachments}
        answer = self.tickets.update(ticket_id, given, by=AGENT_ID)
        if body or files:
            self.webhooks.send(comment_added(self.tickets, ticket, ticket.comments[-1]))
        if ticket.fields["status"] != previous:
            self.webhooks.send(status_changed(ticket, previous))
        return answer


HELPDESK = web.AppKey("helpdesk", Helpdesk)


def create_app(helpdesk: Helpdesk) -> web.Application:
    """An application of its own."""
    app = web.Application()
    mount(app, helpdesk)
    return app


def mount(app: web.Application, helpdesk: Helpdesk, prefix: str = "") -> None:
    """Add the helpdesk to an application, below `prefix`; its webhooks are sent while the application runs.

    Not `add_subapp`: aiohttp 3.9 asks the request for its URL there, which newer yarl refuses for hosts with a port.
    """
    app[HELPDESK] = helpdesk
    app.add_routes(routes(prefix))
    app.cleanup_ctx.append(_sending)


async def _sending(app: web.Application) -> AsyncIterator[None]:
    app[HELPDESK].webhooks.start()
    yield
    await app[HELPDESK].webhooks.stop()


def routes(prefix: str = "") -> list[web.RouteDef]:
    """Zendesk's paths come with and without `.json`."""
    api: list[tuple[str, str, Handler]] = [
        ("POST", "/users/create_or_update", _upsert_user),
        ("GET", "/users/show_many", _show_users),
        ("POST", "/tickets", _create_ticket),
        ("GET", "/tickets", _list_tickets),
        ("GET", "/tickets/{id:\\d+}", _show_ticket),
        ("PUT", "/tickets/{id:\\d+}", _update_ticket),
        ("GET", "/tickets/{id:\\d+}/comments", _list_comments),
        ("PUT", "/tickets/{id:\\d+}/tags", _retag),
        ("DELETE", "/tickets/{id:\\d+}/tags", _retag),
    ]
    desk: list[tuple[str, str, Handler]] = [
        ("GET", "/tickets", _desk_tickets),
        ("POST", "/tickets/{id:\\d+}/reply", _desk_reply),
        ("POST", "/tickets/{id:\\d+}/status", _desk_reply),
        ("POST", "/tickets/{id:\\d+}/{what:merge|delete|spam}", _desk_remove),
        ("POST", "/users/{id:\\d+}", _desk_user),
        ("POST", "/fields", _desk_fields),
        ("POST", "/faults", _set_fault),
        ("DELETE", "/faults", _clear_faults),
        ("POST", "/webhooks", _set_webhooks),
        ("GET", "/calls", _desk_calls),
    ]
    return [
        *[
            web.route(method, f"{prefix}/api/v2{path}{end}", partial(_guarded, handler))
            for method, path, handler in api
            for end in ("", ".json")
        ],
        web.post(f"{prefix}/oauth/tokens", partial(_answered, _issue_token)),
        *[web.route(method, f"{prefix}/desk{path}", partial(_answered, handler)) for method, path, handler in desk],
    ]


async def _guarded(handler: Handler, request: web.Request) -> web.StreamResponse:
    """A call of the API: faults, credentials, then the answer; each on record."""
    helpdesk = request.app[HELPDESK]
    fault = helpdesk.take_fault(request)
    if fault is not None and not fault.kind.startswith("accept"):
        return await _broken(request, fault)
    if not helpdesk.allows(request):
        response: web.StreamResponse = web.json_response({"error": "Couldn't authenticate you"}, status=401)
    else:
        response = await _answered(handler, request)
    _record(request, response.status)
    if fault is not None:
        return await _broken(request, fault, recorded=True)
    return response


async def _answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except Rejected as error:
        headers = {"Retry-After": f"{error.retry_after:.0f}"} if error.retry_after else {}
        return web.json_response(error.body, status=error.status, headers=headers)
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        return web.json_response({"error": "Unprocessable", "description": str(error)}, status=400)


async def _broken(request: web.Request, fault: HelpdeskFault, recorded: bool = False) -> web.StreamResponse:
    if not recorded:
        _record(request, fault.status)
    if fault.kind.endswith("hang"):
        await asyncio.sleep(fault.seconds)
    if fault.kind.endswith(("hang", "reset")):
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.kind == "html":
        return web.Response(text="<html>Bad gateway</html>", content_type="text/html", status=fault.status)
    error = {422: "RecordInvalid", 409: "Conflict", 429: "TooManyRequests"}.get(fault.status, "InternalError")
    return web.json_response({"error": error}, status=fault.status, headers=headers)


def _record(request: web.Request, status: int) -> None:
    request.app[HELPDESK].calls.append(
        {
            "method": request.method,
            "path": request.path.removesuffix(".json"),
            "status": status,
            "idempotency_key": request.headers.get("Idempotency-Key"),
        }
    )


async def _issue_token(request: web.Request) -> web.Response:
    token = request.app[HELPDESK].issue_token(await request.json())
    return web.json_response({"access_token": token, "token_type": "bearer", "scope": "read write"})


async def _upsert_user(request: web.Request) -> web.Response:
    user = request.app[HELPDESK].tickets.upsert_user((await request.json())["user"])
    return web.json_response({"user": user})


async def _show_users(request: web.Request) -> web.Response:
    ids = [int(number) for number in request.query.get("ids", "").split(",") if number]
    users = request.app[HELPDESK].tickets.users
    return web.json_response({"users": [users[number] for number in ids if number in users], "count": len(ids)})


async def _create_ticket(request: web.Request) -> web.Response:
    key, body = request.headers.get("Idempotency-Key"), await request.text()
    helpdesk = request.app[HELPDESK]
    answer, again = helpdesk.tickets.create(json.loads(body)["ticket"], key, body)
    headers = {"x-idempotency-lookup": "hit" if again else "miss"} if key else {}
    return web.json_response(answer, status=201, headers=headers)


async def _list_tickets(request: web.Request) -> web.Response:
    wanted = request.query.get("external_id")
    found = [
        ticket.shown()
        for ticket in request.app[HELPDESK].tickets.tickets.values()
        if wanted in (None, ticket.fields["external_id"]) and ticket.id not in request.app[HELPDESK].tickets.deleted
    ]
    return web.json_response({"tickets": found, "meta": {"has_more": False}, "links": {"next": None}})


async def _show_ticket(request: web.Request) -> web.Response:
    ticket = request.app[HELPDESK].tickets.find(int(request.match_info["id"]))
    return web.json_response({"ticket": ticket.shown()})


async def _update_ticket(request: web.Request) -> web.Response:
    helpdesk = request.app[HELPDESK]
    given = (await request.json())["ticket"]
    ticket = helpdesk.tickets.find(int(request.match_info["id"]))
    answer = helpdesk.tickets.update(ticket.id, given)
    if given.get("comment"):
        helpdesk.webhooks.send(comment_added(helpdesk.tickets, ticket, ticket.comments[-1]))
    return web.json_response(answer)


async def _list_comments(request: web.Request) -> web.Response:
    comments = request.app[HELPDESK].tickets.find(int(request.match_info["id"])).comments
    size = min(int(request.query.get("page[size]") or 100), 100)
    after = int(request.query.get("page[after]") or 0)
    page = comments[after : after + size]
    more = after + size < len(comments)
    query = urlencode({"page[after]": after + size, "page[size]": size})
    following = f"http://{request.host}{request.path}?{query}"
    return web.json_response(
        {
            "comments": page,
            "meta": {"has_more": more, "after_cursor": str(after + size)},
            "links": {"next": following if more else None},
        }
    )


async def _desk_tickets(request: web.Request) -> web.Response:
    tickets = request.app[HELPDESK].tickets
    shown = []
    for ticket in tickets.tickets.values():
        comments = [
            {**comment, "author": tickets.users.get(comment["author_id"], {}).get("name", "?")}
            for comment in ticket.comments
        ]
        requester = tickets.users.get(ticket.fields["requester_id"], {})
        shown.append({**ticket.shown(), "comments": comments, "requester": requester})
    return web.json_response({"tickets": shown})


async def _desk_reply(request: web.Request) -> web.Response:
    given = await request.json()
    status = given.get("status")
    if status is not None and status not in STATUSES:
        raise Rejected(422, "RecordInvalid", f"status is one of {', '.join(STATUSES)}")
    body, files = str(given.get("body") or ""), list(given.get("attachments") or [])
    public = bool(given.get("public", True))
    answer = request.app[HELPDESK].reply(int(request.match_info["id"]), body, public, status, files)
    return web.json_response(answer)


async def _retag(request: web.Request) -> web.Response:
    tags = list((await request.json())["tags"])
    there = request.app[HELPDESK].tickets.retag(int(request.match_info["id"]), tags, request.method == "PUT")
    return web.json_response({"tags": there})


async def _desk_remove(request: web.Request) -> web.Response:
    helpdesk, ticket_id = request.app[HELPDESK], int(request.match_info["id"])
    ticket = helpdesk.tickets.find(ticket_id)
    previous = ticket.fields["status"]
    if request.match_info["what"] == "merge":
        helpdesk.tickets.merge(ticket_id, int((await request.json())["into"]))
        helpdesk.webhooks.send(status_changed(ticket, previous))
    elif request.match_info["what"] == "spam":
        helpdesk.tickets.mark_as_spam(ticket_id)
    else:
        helpdesk.tickets.deleted.add(ticket_id)
    return web.Response(status=204)


async def _desk_user(request: web.Request) -> web.Response:
    user = request.app[HELPDESK].tickets.users.get(int(request.match_info["id"]))
    if user is None:
        raise Rejected(404, "RecordNotFound", "Not found")
    user["suspended"] = bool((await request.json())["suspended"])
    return web.json_response({"user": user})


async def _desk_fields(request: web.Request) -> web.Response:
    refused = {int(number) for number in (await request.json())["refused"]}
    request.app[HELPDESK].tickets.refused_fields = refused
    return web.json_response({"refused": sorted(refused)})


async def _set_fault(request: web.Request) -> web.Response:
    fault = HelpdeskFault(**await request.json())
    if fault.kind not in FAULTS:
        raise Rejected(422, "RecordInvalid", f"kind is one of {', '.join(FAULTS)}")
    request.app[HELPDESK].faults.append(fault)
    return web.json_response(asdict(fault), status=201)


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[HELPDESK].faults.clear()
    return web.Response(status=204)


async def _set_webhooks(request: web.Request) -> web.Response:
    webhooks = request.app[HELPDESK].webhooks
    given = await request.json()
    webhooks.delivery.lost = bool(given.get("lost", webhooks.delivery.lost))
    webhooks.delivery.twice = bool(given.get("twice", webhooks.delivery.twice))
    if given.get("hold") is True:
        webhooks.delivery.hold = True
    elif given.get("hold") is False:
        webhooks.release()
    return web.json_response(asdict(webhooks.delivery))


async def _desk_calls(request: web.Request) -> web.Response:
    return web.json_response({"calls": request.app[HELPDESK].calls})
