"""What agents and tests do with the helpdesk, under `/desk`:

    GET  /desk/tickets                    every ticket with its comments and requester; the agents, who sits here first
    POST /desk/tickets/{id}/reply         {"body", "public": true, "status": null, "attachments": [url]}
    POST /desk/files?name=…               the file itself; {"content_url"}, which a reply may name
    POST /desk/tickets/{id}/status        {"status"}
    POST /desk/tickets/{id}/assign        {"assignee_id": an agent's, or null}
    POST /desk/tickets/{id}/back          the tag that gives the customer back to the assistant; the ticket stays open
    POST /desk/tickets/{id}/merge         {"into": id}
    POST /desk/tickets/{id}/delete
    POST /desk/tickets/{id}/spam          deletes it and suspends the requester
    POST /desk/users/{id}                 {"suspended"}
    POST /desk/fields                     {"refused": [ids of ticket fields that do not exist]}
    POST /desk/faults                     the fields of HelpdeskFault, "kind" at least
    GET, DELETE /desk/faults
    POST /desk/webhooks                   {"lost", "twice", "hold"}; turning hold off sends what was held, newest first
    GET  /desk/calls                      [{"method", "path", "status", "idempotency_key"}]
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from urllib.parse import quote, urlencode

from aiohttp import web

from twin.helpdesk.account import FAULTS, HELPDESK, HelpdeskFault
from twin.helpdesk.tickets import AGENT_ID, STATUSES, Rejected
from twin.helpdesk.webhooks import status_changed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    agents = [{"id": one["id"], "name": one["name"]} for one in tickets.users.values() if one.get("role") == "agent"]
    return web.json_response({"tickets": shown, "agents": agents})


async def _desk_reply(request: web.Request) -> web.Response:
    given = await request.json()
    status = given.get("status")
    if status is not None and status not in STATUSES:
        raise Rejected(422, "RecordInvalid", f"status is one of {', '.join(STATUSES)}")
    body, files = str(given.get("body") or ""), list(given.get("attachments") or [])
    public = bool(given.get("public", True))
    answer = request.app[HELPDESK].reply(int(request.match_info["id"]), body, public, status, files)
    return web.json_response(answer)


async def _desk_assign(request: web.Request) -> web.Response:
    given = {"assignee_id": (await request.json()).get("assignee_id")}
    return web.json_response(request.app[HELPDESK].tickets.update(int(request.match_info["id"]), given, by=AGENT_ID))


async def _desk_back(request: web.Request) -> web.Response:
    return web.json_response(request.app[HELPDESK].give_back(int(request.match_info["id"])))


async def _desk_file(request: web.Request) -> web.Response:
    name = request.query.get("name") or "file"
    content_type = request.content_type if "/" in request.content_type else "application/octet-stream"
    token = request.app[HELPDESK].add_file(name, content_type, await request.read())
    place = f"{request.scheme}://{request.host}{request.path.removesuffix('/desk/files')}"
    return web.json_response({"content_url": f"{place}/attachments/token/{token}/?{urlencode({'name': name})}"})


async def attachment(request: web.Request) -> web.Response:
    """What an agent attached, for whoever has its link."""
    file = request.app[HELPDESK].files.get(request.match_info["token"])
    if file is None:
        raise Rejected(404, "RecordNotFound", "Not found")
    named = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"Content-Disposition": named, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=file.content, content_type=file.content_type, headers=headers)


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


async def _list_faults(request: web.Request) -> web.Response:
    return web.json_response({"faults": [asdict(fault) for fault in request.app[HELPDESK].faults if fault.times != 0]})


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


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/tickets", _desk_tickets),
    ("POST", "/files", _desk_file),
    ("POST", "/tickets/{id:\\d+}/reply", _desk_reply),
    ("POST", "/tickets/{id:\\d+}/status", _desk_reply),
    ("POST", "/tickets/{id:\\d+}/assign", _desk_assign),
    ("POST", "/tickets/{id:\\d+}/back", _desk_back),
    ("POST", "/tickets/{id:\\d+}/{what:merge|delete|spam}", _desk_remove),
    ("POST", "/users/{id:\\d+}", _desk_user),
    ("POST", "/fields", _desk_fields),
    ("GET", "/faults", _list_faults),
    ("POST", "/faults", _set_fault),
    ("DELETE", "/faults", _clear_faults),
    ("POST", "/webhooks", _set_webhooks),
    ("GET", "/calls", _desk_calls),
]
