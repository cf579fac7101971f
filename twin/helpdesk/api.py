"""A simulated Zendesk over HTTP: the API calls that the assistant makes, an agent's desk, and faults on demand.

`create_app(...)` is an aiohttp application of its own, `mount(...)` adds it to another. The API is under
`/api/v2`, what people and tests do with it under `/desk` (`desk_calls.py`).
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from twin.helpdesk import desk_calls
from twin.helpdesk.account import HELPDESK, Helpdesk, HelpdeskFault
from twin.helpdesk.desk_calls import Handler
from twin.helpdesk.tickets import Rejected
from twin.helpdesk.webhooks import comment_added


def create_app(helpdesk: Helpdesk) -> web.Application:
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
    return [
        *[
            web.route(method, f"{prefix}/api/v2{path}{end}", partial(_guarded, handler))
            for method, path, handler in api
            for end in ("", ".json")
        ],
        web.post(f"{prefix}/oauth/tokens", partial(_answered, _issue_token)),
        web.get(f"{prefix}/attachments/token/{{token}}/", partial(_answered, desk_calls.attachment)),
        *[
            web.route(method, f"{prefix}/desk{path}", partial(_answered, handler))
            for method, path, handler in desk_calls.ROUTES
        ],
    ]


async def _guarded(handler: Handler, request: web.Request) -> web.StreamResponse:
    """A call of the API: faults, credentials, then the answer; each on record."""
    helpdesk = request.app[HELPDESK]
    fault = helpdesk.take_fault(request)
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        fault = None
    if fault is not None and not fault.kind.startswith("accept"):
        return await _broken(request, fault)
    left, wait_s = helpdesk.limit()
    if left < 0:
        description = "Number of allowed API requests per minute exceeded"
        response: web.StreamResponse = web.json_response(
            {"error": "APIRateLimitExceeded", "description": description}, status=429,
            headers={"Retry-After": str(math.ceil(wait_s))},
        )  # fmt: skip
    elif not helpdesk.allows(request):
        response = web.json_response({"error": "Couldn't authenticate you"}, status=401)
    else:
        response = await _answered(handler, request)
    limit = {"X-Rate-Limit": helpdesk.calls_a_minute, "X-Rate-Limit-Remaining": max(0, left)}
    response.headers.update({name: str(value) for name, value in limit.items()})
    _record(request, response.status)
    if fault is not None:
        return await _broken(request, fault, recorded=True)
    return response


async def _answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except Rejected as error:
        headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else {}
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


async def _retag(request: web.Request) -> web.Response:
    tags = list((await request.json())["tags"])
    there = request.app[HELPDESK].tickets.retag(int(request.match_info["id"]), tags, request.method == "PUT")
    return web.json_response({"tags": there})
