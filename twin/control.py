"""The control API: what tests and demos ask and switch. Only the twin has it; Meta has nothing like it.

POST   /control/messages   a customer writes: {"customer", "kind", ...} (see `inbound.content_of`), optionally "copies"
POST   /control/batch      {"messages": [the same, ...]} in one notification
POST   /control/webhook    {"body": any JSON or text, "signature"?} posted once; answers {"status", "seconds"}
POST   /control/verify     Meta's handshake with {"token"}; answers {"status", "echoed"}
GET    /control/sent       accepted messages: ?since=n&customer=key&wait=seconds
GET    /control/refused    bodies that broke a limit or came outside the 24-hour window
GET    /control/receipts   read receipts and typing indicators
GET    /control/webhooks   how the assistant answered: {"pending", "statuses": {"200": n}, "slowest_s"}
GET, POST, DELETE /control/faults   see `faults.Fault`
GET, POST /control/habits  see `records.Habits`
GET    /control/counted    what customers wrote and what reached them, to see that nothing is lost or doubled
GET, POST /control/shop    the shops at hand; {"folder"}: the launcher stops this one and goes on with that
POST   /control/kill       {"name": redis, rasa, actions or worker}: the launcher kills it (-9) and starts it again;
                           "failover": of two Redis servers the master. GET: {"names"}
POST   /control/window     {"customer", "closed": bool}: age the customer's last message past 24 hours, or renew it
POST   /control/reset      forget everything
"""

import asyncio
import json
import time
from collections import Counter
from dataclasses import asdict, fields, replace
from typing import Any

from aiohttp import web

from twin.whatsapp.faults import FaultInvalid, fault_from
from twin.whatsapp.inbound import CannotSend
from twin.whatsapp.network import SERVICE_WINDOW_S, Network
from twin.whatsapp.records import Habits
from twin.whatsapp.webhooks import encode

MAX_WAIT_S = 60.0
MAX_COUNTED = 1000
KILLABLE = ("redis", "rasa", "actions", "worker")


class ControlApi:
    """Routes under /control."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def add_to(self, app: web.Application) -> None:
        routes = app.router
        routes.add_post("/control/messages", self.write)
        routes.add_post("/control/batch", self.write_batch)
        routes.add_post("/control/webhook", self.post_webhook)
        routes.add_post("/control/verify", self.verify)
        routes.add_get("/control/sent", self.sent)
        routes.add_get("/control/refused", self.refused)
        routes.add_get("/control/receipts", self.receipts)
        routes.add_get("/control/webhooks", self.webhooks)
        routes.add_get("/control/faults", self.faults)
        routes.add_post("/control/faults", self.add_fault)
        routes.add_delete("/control/faults", self.clear_faults)
        routes.add_get("/control/habits", self.habits)
        routes.add_post("/control/habits", self.change_habits)
        routes.add_get("/control/counted", self.counted)
        routes.add_post("/control/kill", self.kill)
        routes.add_get("/control/kill", self.killable)
        routes.add_get("/control/shop", self.shops)
        routes.add_post("/control/shop", self.go_on_with_shop)
        routes.add_post("/control/window", self.change_window)
        routes.add_post("/control/reset", self.reset)

    async def write(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        try:
            chat = self.network.find(str(data["customer"]))
            message = self.network.write(chat, data, copies=int(data.get("copies", 1)))
        except (CannotSend, KeyError, ValueError) as error:
            raise bad_request(error) from None
        return web.json_response({"wamid": message.wamid, "key": chat.customer.key})

    async def write_batch(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        try:
            requests = [(self.network.find(str(entry["customer"])), entry) for entry in data["messages"]]
            messages = self.network.write_batch(requests)
        except (CannotSend, KeyError, ValueError) as error:
            raise bad_request(error) from None
        return web.json_response({"wamids": [message.wamid for message in messages]})

    async def post_webhook(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        body = data.get("body")
        raw = body.encode() if isinstance(body, str) else encode(body if body is not None else {})
        attempt = await self.network.webhooks.post_once(raw, data.get("signature"))
        return web.json_response(asdict(attempt))

    async def verify(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        status, echoed = await self.network.webhooks.verify(str(data.get("token", "")))
        return web.json_response({"status": status, "echoed": echoed})

    async def sent(self, request: web.Request) -> web.Response:
        query = request.query
        since, customer = int(query.get("since", 0)), query.get("customer", "").strip("+ ")
        deadline = time.monotonic() + min(float(query.get("wait", 0)), MAX_WAIT_S)

        def found() -> list[dict[str, Any]]:
            newer = self.network.records.accepted[since:]
            return [asdict(entry) for entry in newer if customer in ("", entry.to)]

        async with self.network.wrote:
            while not found() and time.monotonic() < deadline:
                try:
                    await asyncio.wait_for(self.network.wrote.wait(), deadline - time.monotonic())
                except asyncio.TimeoutError:
                    break
        return web.json_response({"sent": found(), "next": len(self.network.records.accepted)})

    async def refused(self, request: web.Request) -> web.Response:
        return web.json_response({"refused": self.network.records.refused})

    async def receipts(self, request: web.Request) -> web.Response:
        return web.json_response({"receipts": self.network.records.receipts})

    async def webhooks(self, request: web.Request) -> web.Response:
        attempts = self.network.webhooks.attempts
        return web.json_response(
            {
                "pending": self.network.webhooks.pending,
                "statuses": Counter(str(attempt.status) for attempt in attempts),
                "slowest_s": max((attempt.seconds for attempt in attempts), default=0.0),
            }
        )

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": self.network.faults.listing()})

    async def add_fault(self, request: web.Request) -> web.Response:
        try:
            self.network.faults.add(fault_from(await json_object(request)))
        except FaultInvalid as error:
            raise bad_request(error) from None
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self.network.faults.clear()
        return await self.faults(request)

    async def habits(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self.network.habits))

    async def counted(self, request: web.Request) -> web.Response:
        """`wamids` are the latest messages that customers wrote; `twice` are replies that reached a phone twice."""
        written = [
            message for chat in self.network.chats.values() for message in chat.messages if message.author == "customer"
        ]
        written.sort(key=lambda message: message.at)
        replies = Counter(
            str(entry.body["biz_opaque_callback_data"])
            for entry in self.network.records.accepted
            if entry.body.get("biz_opaque_callback_data")
        )
        return web.json_response(
            {
                "written": len(written),
                "taken": sum(message.status in ("delivered", "read") for message in written),
                "wamids": [message.wamid for message in written[-MAX_COUNTED:]],
                "replies": sum(replies.values()),
                "twice": sorted(key for key, count in replies.items() if count > 1),
            }
        )

    async def kill(self, request: web.Request) -> web.Response:
        name = (await json_object(request)).get("name")
        if name not in self._killable:
            raise bad_request(ValueError(f"name is one of {', '.join(self._killable)}."))
        self._ask_launcher(str(name))
        return web.json_response({"killed": name})

    @property
    def _killable(self) -> tuple[str, ...]:
        return (*KILLABLE, "failover") if self.network.configuration.fails_over else KILLABLE

    async def killable(self, request: web.Request) -> web.Response:
        return web.json_response({"names": self._killable})

    async def shops(self, request: web.Request) -> web.Response:
        shops = [{"folder": folder, "name": name} for folder, name in self.network.configuration.shops.items()]
        return web.json_response({"shops": shops})

    async def go_on_with_shop(self, request: web.Request) -> web.Response:
        folder = (await json_object(request)).get("folder")
        if folder not in self.network.configuration.shops:
            raise bad_request(ValueError("There is no such shop at hand."))
        (self.network.configuration.state_dir / "next_shop").write_text(str(folder), encoding="utf-8")
        self._ask_launcher("everything")
        return web.json_response({"next": folder})

    def _ask_launcher(self, wish: str) -> None:
        """It watches this folder, in the demo only."""
        folder = self.network.configuration.state_dir / "kill"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wish).touch()

    async def change_habits(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        unknown = set(data) - {field.name for field in fields(Habits)}
        if unknown:
            raise bad_request(ValueError(f"No such habit: {', '.join(sorted(unknown))}."))
        if "statuses" in data:
            data["statuses"] = tuple(data["statuses"])
        self.network.habits = replace(self.network.habits, **data)
        return web.json_response(asdict(self.network.habits))

    async def change_window(self, request: web.Request) -> web.Response:
        data = await json_object(request)
        try:
            chat = self.network.find(str(data["customer"]))
        except (KeyError, ValueError) as error:
            raise bad_request(error) from None
        age_s = SERVICE_WINDOW_S + 60 if data.get("closed") else 0
        chat.last_inbound_at = time.time() - age_s
        return web.json_response({"last_inbound_at": chat.last_inbound_at})

    async def reset(self, request: web.Request) -> web.Response:
        await self.network.reset()
        return web.json_response({"reset": True})


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as an object. Asking for JSON's content type keeps other web pages from posting here unnoticed."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    try:
        data = json.loads(await request.read())
    except ValueError:
        raise bad_request(ValueError("The body is not JSON.")) from None
    if not isinstance(data, dict):
        raise bad_request(ValueError("The body is a JSON object."))
    return data


def bad_request(error: Exception) -> web.HTTPBadRequest:
    """400 with the reason; a KeyError names what is missing."""
    reason = f"{error} is missing." if isinstance(error, KeyError) else str(error)
    return web.HTTPBadRequest(text=json.dumps({"error": reason}), content_type="application/json")
