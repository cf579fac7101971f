"""Helpdesks over HTTP for tests: each runs in a thread of its own, keeps its tickets in memory and fails on demand."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from tests.conftest import free_port
from tests.loops import on_a_thread


@contextmanager
def serving(make_app: Callable[[], web.Application], port: int = 0) -> Iterator[str]:
    """The application's base URL while it runs; `port` 0 is any."""
    port = port or free_port()

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        runner = web.AppRunner(make_app(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
        await runner.cleanup()

    with on_a_thread(serve) as url:
        yield url


class Faults:
    """A list of (kind, status, headers): error before, or lost: the answer is lost after the effect."""

    def __init__(self) -> None:
        self.next: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append((request.method, request.path))
        if len(self.calls) > 400:  # an hour's, as it were: whoever asks again and again comes to an end
            return web.json_response({}, status=429)
        writes = request.method != "GET" and not request.path.endswith(("/upsert", "/read", "/search", "/contacts"))
        fault = self.next.pop(0) if self.next and writes else None
        if fault and fault["kind"] == "error":
            return web.json_response({"error": "fault"}, status=fault["status"], headers=fault.get("headers"))
        response = await handler(request)
        if fault:
            request.transport.abort()
        return response


class FreshdeskStandIn:
    """The calls of API v2 that are made."""

    def __init__(self) -> None:
        self.faults, self.tickets, self.notes = Faults(), {}, {}
        self._ids = itertools.count(1)
        self.requesters: dict[str, int] = {}
        self.blocked = ""  # a requester: "refused", or their tickets are "spam"
        self.mandatory: dict[str, dict[str, Any]] = {}  # custom fields by name, as GET /ticket_fields shows them

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.add_routes([
            web.post("/api/v2/tickets", self.create), web.get("/api/v2/tickets", self.listing),
            web.get("/api/v2/ticket_fields", self.fields), web.put("/api/v2/tickets/{id}", self.change),
            web.get("/api/v2/tickets/{id}", self.show), web.post("/api/v2/tickets/{id}/notes", self.note),
            web.get("/api/v2/tickets/{id}/conversations", self.conversations),
        ])  # fmt: skip
        return app

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        missing = [name for name in self.mandatory if name not in (body.get("custom_fields") or {})]
        if missing:
            errors = [{"field": name, "message": "It should not be blank", "code": "missing_field"} for name in missing]
            return web.json_response({"description": "Validation failed", "errors": errors}, status=400)
        for name, shown in self.mandatory.items():
            if shown.get("accepts") and not re.fullmatch(shown["accepts"], str(body["custom_fields"][name])):
                wrong = {"field": name, "message": "It should be valid", "code": "invalid_value"}
                return web.json_response({"description": "Validation failed", "errors": [wrong]}, status=400)
        if body.get("phone") and not body["phone"].startswith("+"):
            return web.json_response({"code": "invalid_value"}, status=400)
        blocked = self.blocked if body["unique_external_id"] != "whatsapp:assistant" else ""
        if blocked == "refused":
            return web.json_response({"errors": [{"field": "requester_id", "code": "invalid_value"}]}, status=400)
        requester = self.requesters.setdefault(body["unique_external_id"], 9000 + len(self.requesters))
        ticket = {**body, "id": next(self._ids), "requester_id": requester, "spam": blocked == "spam"}
        self.tickets[ticket["id"]], self.notes[ticket["id"]] = ticket, []
        return web.json_response(ticket, status=201)

    def lose(self, ticket_id: str, how: str) -> None:
        """closed, deleted, spam (Freshdesk goes on showing these), or missing."""
        changes = {"closed": {"status": 5}, "deleted": {"deleted": True}, "spam": {"spam": True}}
        if how == "missing":
            del self.tickets[int(ticket_id)]
        else:
            self.tickets[int(ticket_id)] |= changes[how]

    def first_notes(self) -> list[str]:
        return [notes[0]["body_text"] for notes in self.notes.values() if notes]

    async def listing(self, request: web.Request) -> web.Response:
        requester = self.requesters.get(request.query["unique_external_id"])
        if requester is None:
            return web.json_response({"code": "invalid_value"}, status=400)
        return web.json_response([row for row in self.tickets.values() if row["requester_id"] == requester])

    async def show(self, request: web.Request) -> web.Response:
        ticket = self.tickets.get(int(request.match_info["id"]))
        return web.json_response(ticket) if ticket else web.Response(status=404)

    async def fields(self, request: web.Request) -> web.Response:
        return web.json_response([{"name": name, **shown} for name, shown in self.mandatory.items()])

    async def change(self, request: web.Request) -> web.Response:
        self.tickets[int(request.match_info["id"])] |= await request.json()
        return web.json_response(self.tickets[int(request.match_info["id"])])

    async def note(self, request: web.Request) -> web.Response:
        body = await request.json()
        if int(request.match_info["id"]) not in self.tickets:
            return web.Response(status=404)
        return web.json_response(self.add(int(request.match_info["id"]), **body), status=201)

    def add(self, ticket_id: int, body: str, private: bool, user_id: int = 1) -> dict[str, Any]:
        text = body.replace("<br>", "\n")
        note = {"id": next(self._ids), "body_text": text, "private": private, "user_id": user_id,
                "created_at": "2027-01-15T08:00:00Z", "attachments": []}  # fmt: skip
        self.notes[ticket_id].append(note)
        return note

    async def conversations(self, request: web.Request) -> web.Response:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 30))
        return web.json_response(self.notes[int(request.match_info["id"])][(page - 1) * size : page * size])


class HubSpotStandIn:
    """The calls of CRM v3 that are made."""

    def __init__(self) -> None:
        self.faults, self.tickets, self.notes, self.links = Faults(), {}, {}, []
        self.properties: set[str] = set()
        self.contacts: dict[str, str] = {}
        self.merged: dict[str, str] = {}
        self.blocked = ""  # contacts are refused
        self.pipelines = {"0": {"1": "OPEN", "4": "CLOSED"}}
        self._ids = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.add_routes([
            web.get("/crm/v3/properties/{kind}/{name}", self.show_property),
            web.post("/crm/v3/properties/{kind}", self.make_property),
            web.post("/crm/v3/objects/contacts/batch/upsert", self.upsert),
            web.post("/crm/v3/objects/tickets", self.create), web.get("/crm/v3/objects/tickets/{id}", self.show),
            web.post("/crm/v3/objects/notes", self.note), web.patch("/crm/v3/objects/tickets/{id}", self.change),
            web.get("/crm/v4/objects/tickets/{id}/associations/notes", self.linked),
            web.post("/crm/v3/objects/notes/batch/read", self.read),
            web.get("/crm/v3/pipelines/tickets", self.list_pipelines),
            web.get("/files/v3/files/{id}/signed-url", self.sign),
        ])  # fmt: skip
        return app

    async def sign(self, request: web.Request) -> web.Response:
        if request.match_info["id"] == "hidden":
            return web.json_response({"category": "MISSING_SCOPES"}, status=403)
        return web.json_response({"url": f"https://files.example/{request.match_info['id']}/label.pdf?Signature=x"})

    async def show_property(self, request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if request.match_info["name"] in self.properties else 404)

    async def make_property(self, request: web.Request) -> web.Response:
        self.properties.add((await request.json())["name"])
        return web.json_response({}, status=201)

    async def upsert(self, request: web.Request) -> web.Response:
        given = (await request.json())["inputs"][0]
        if self.blocked:
            return web.json_response({"category": "VALIDATION_ERROR"}, status=400)
        return web.json_response({"results": [{"id": self.contacts.setdefault(given["id"], str(next(self._ids)))}]})

    async def create(self, request: web.Request) -> web.Response:
        properties = (await request.json())["properties"]
        if any(row["assistant_handoff_id"] == properties["assistant_handoff_id"] for row in self.tickets.values()):
            return web.json_response({"category": "CONFLICT"}, status=409)
        if properties["hs_pipeline_stage"] not in self.pipelines.get(properties["hs_pipeline"], {}):
            return web.json_response({"category": "VALIDATION_ERROR"}, status=400)
        ticket_id = str(next(self._ids))
        self.tickets[ticket_id] = properties
        return web.json_response({"id": ticket_id, "properties": properties}, status=201)

    def lose(self, ticket_id: str, how: str) -> None:
        """missing, or merged into another ticket, under whose id it is shown from then on."""
        properties = self.tickets.pop(ticket_id)
        if how == "merged":
            self.merged[ticket_id] = str(next(self._ids))
            self.tickets[self.merged[ticket_id]] = properties

    def first_notes(self) -> list[str]:
        return [str(properties["content"]) for properties in self.tickets.values()]

    async def change(self, request: web.Request) -> web.Response:
        self.tickets[request.match_info["id"]] |= (await request.json())["properties"]
        return web.json_response({"id": request.match_info["id"]})

    async def show(self, request: web.Request) -> web.Response:
        wanted = self.merged.get(request.match_info["id"], request.match_info["id"])
        for ticket_id, properties in self.tickets.items():
            if wanted in (ticket_id, properties["assistant_handoff_id"]):
                return web.json_response({"id": ticket_id, "properties": properties})
        return web.json_response({}, status=404)

    async def note(self, request: web.Request) -> web.Response:
        body = await request.json()
        note_id = self.add(body["associations"][0]["to"]["id"], body["properties"])
        return web.json_response({"id": note_id}, status=201)

    def add(self, ticket_id: str, properties: dict[str, Any]) -> str:
        note_id = str(next(self._ids))
        self.notes[note_id] = properties
        self.links.insert(0, (ticket_id, note_id))  # in no useful order
        return note_id

    async def linked(self, request: web.Request) -> web.Response:
        found = [{"toObjectId": int(note)} for ticket, note in self.links if ticket == request.match_info["id"]]
        start, limit = int(request.query.get("after") or 0), int(request.query.get("limit") or 500)
        more = {"paging": {"next": {"after": str(start + limit)}}} if len(found) > start + limit else {}
        return web.json_response({"results": found[start : start + limit], **more})

    async def read(self, request: web.Request) -> web.Response:
        wanted = [row["id"] for row in (await request.json())["inputs"]]
        return web.json_response({"results": [{"id": note, "properties": self.notes[note]} for note in wanted]})

    async def list_pipelines(self, request: web.Request) -> web.Response:
        found = [
            {"id": pipeline, "displayOrder": place, "stages": [
                {"id": stage, "displayOrder": order, "metadata": {"ticketState": state}}
                for order, (stage, state) in enumerate(stages.items())
            ][::-1]}
            for place, (pipeline, stages) in enumerate(self.pipelines.items())
        ]  # fmt: skip
        return web.json_response({"results": found[::-1]})
