"""Chatwoot over HTTP for tests: the calls of its application API that are made, answered as its source does."""

from __future__ import annotations

import itertools
from typing import Any

from aiohttp import web

from tests.handoff.stand_ins import Faults

TYPES = {"incoming": 0, "outgoing": 1}
PAGE = 100


class ChatwootStandIn:
    """One account (3) with one inbox of the kind API (7)."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.contacts: dict[int, dict[str, Any]] = {}
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: dict[int, list[dict[str, Any]]] = {}
        self._ids = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, self.login])
        here = "/api/v1/accounts/3"
        app.add_routes([
            web.get(f"{here}/contacts/search", self.search), web.post(f"{here}/contacts", self.add_contact),
            web.get(f"{here}/contacts/{{id}}/conversations", self.of_contact),
            web.post(f"{here}/conversations", self.create), web.get(f"{here}/conversations/{{id}}", self.show),
            web.get(f"{here}/conversations/{{id}}/messages", self.listing),
            web.post(f"{here}/conversations/{{id}}/messages", self.add_message),
            web.post(f"{here}/conversations/{{id}}/toggle_status", self.change),
            web.post(f"{here}/conversations/{{id}}/toggle_priority", self.change),
            web.get(f"{here}/conversations/{{id}}/labels", self.labels),
            web.post(f"{here}/conversations/{{id}}/labels", self.change),
        ])  # fmt: skip
        return app

    @web.middleware
    async def login(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("api_access_token") != "token":
            return web.json_response({"error": "Invalid Access Token"}, status=401)
        number = request.match_info.get("id")
        if number and "/conversations/" in request.path and int(number) not in self.conversations:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        return await handler(request)

    async def search(self, request: web.Request) -> web.Response:
        wanted = request.query["q"]
        names = ("name", "identifier", "phone_number")
        found = [one for one in self.contacts.values() if any(wanted in str(one.get(name) or "") for name in names)]
        return web.json_response({"meta": {"count": len(found)}, "payload": found[:15]})

    async def add_contact(self, request: web.Request) -> web.Response:
        body = await request.json()
        for name in ("identifier", "phone_number"):
            if body.get(name) and any(one.get(name) == body[name] for one in self.contacts.values()):
                return web.json_response({"message": f"{name} has already been taken"}, status=422)
        if body.get("phone_number") and not body["phone_number"].startswith("+"):
            return web.json_response({"message": "Phone number should be in e164 format"}, status=422)
        contact = {**body, "id": next(self._ids)}
        self.contacts[contact["id"]] = contact
        return web.json_response({"payload": {"contact": contact, "contact_inbox": {}}})

    async def of_contact(self, request: web.Request) -> web.Response:
        mine = [one for one in self.conversations.values() if one["contact_id"] == int(request.match_info["id"])]
        return web.json_response({"payload": mine[::-1][:20]})

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["inbox_id"] == 7
        assert body["contact_id"] in self.contacts
        number = next(self._ids)
        said = body.pop("message")
        status = "resolved" if self.contacts[body["contact_id"]].get("blocked") else body["status"]
        self.conversations[number] = {**body, "id": number, "labels": [], "priority": None, "status": status}
        self.messages[number] = []
        self.say(number, **said)
        return web.json_response(self.conversations[number])

    def say(
        self, number: int, content: str | None, private: bool = False, message_type: str = "outgoing", **more: Any
    ) -> dict[str, Any]:
        """A message in a conversation; the customer's open a resolved one again."""
        message = {"id": next(self._ids), "content": content, "private": private, "message_type": TYPES[message_type],
                   "created_at": 1800000000, "content_attributes": {}, **more}  # fmt: skip
        self.messages[number].append(message)
        if message_type == "incoming" and self.conversations[number]["status"] == "resolved":
            self.conversations[number]["status"] = "open"
        return message

    async def add_message(self, request: web.Request) -> web.Response:
        return web.json_response(self.say(int(request.match_info["id"]), **await request.json()))

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(self.conversations[int(request.match_info["id"])])

    async def listing(self, request: web.Request) -> web.Response:
        said, after = self.messages[int(request.match_info["id"])], request.query.get("after")
        part = said[-20:] if after is None else [one for one in said if one["id"] > int(after)][:PAGE]
        return web.json_response({"meta": {}, "payload": part})

    async def labels(self, request: web.Request) -> web.Response:
        return web.json_response({"payload": self.conversations[int(request.match_info["id"])]["labels"]})

    async def change(self, request: web.Request) -> web.Response:
        self.conversations[int(request.match_info["id"])] |= await request.json()
        return web.json_response({})
