"""What the phone in the browser talks to: its page, the chats, and a stream of what changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from twin.control import bad_request, json_object
from twin.phone.chats import Chat
from twin.phone.customers import with_phone
from twin.phone.pages import asset, icon, page
from twin.whatsapp.inbound import CannotSend
from twin.whatsapp.network import Network

HEARTBEAT_S = 15.0
HEALTH_EVERY_S = 2.5
StartOver = Callable[[Chat], Awaitable[None]]
SHOWABLE = ("image/png", "image/jpeg")


class PhonePage:
    """Routes of the page and of its API under /phone."""

    def __init__(self, network: Network, start_over: StartOver) -> None:
        """`start_over`: everything about a chat's customer is forgotten."""
        self.network = network
        self._start_over = start_over
        self.assistant_ready: bool | None = None

    def add_to(self, app: web.Application) -> None:
        routes = app.router
        routes.add_get("/", self.page)
        routes.add_get("/faults", self.faults)
        routes.add_get("/pair", self.pair)
        routes.add_get("/phone/api/state", self.state)
        routes.add_get("/phone/api/events", self.events)
        routes.add_post("/phone/api/customers", self.add_customer)
        routes.add_get("/phone/api/chats/{key}", self.chat)
        routes.add_post("/phone/api/chats/{key}/messages", self.write)
        routes.add_post("/phone/api/chats/{key}/seen", self.seen)
        routes.add_post("/phone/api/chats/{key}/start-over", self.start_over)
        routes.add_get("/phone/api/media/{media_id}", self.media)
        routes.add_get("/phone/icon", self.icon)
        routes.add_get("/phone/{name}", asset)
        app.cleanup_ctx.append(self._watched)
        # aiosignal 1.4 types its signals otherwise than aiohttp 3.9 uses them.
        app.on_shutdown.append(self._stop)  # type: ignore[arg-type]

    async def page(self, request: web.Request) -> web.StreamResponse:
        return page("index.html", self.network.configuration)

    async def faults(self, request: web.Request) -> web.StreamResponse:
        return page("faults.html", self.network.configuration)

    async def pair(self, request: web.Request) -> web.StreamResponse:
        return page("pair.html", self.network.configuration)

    async def icon(self, request: web.Request) -> web.StreamResponse:
        return icon(self.network.configuration)

    async def state(self, request: web.Request) -> web.Response:
        self.network.load_demo_customers()
        chats = [chat.summary() for chat in self.network.chats.values()]
        shop = {"name": self.network.configuration.shop_name, "phone": f"+{self.network.configuration.shop_phone}"}
        return web.json_response({"shop": shop, "chats": chats, "assistant_ready": self.assistant_ready})

    async def chat(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        messages = [message.for_browser() for message in chat.messages]
        return web.json_response({"messages": messages, **chat.summary()})

    async def write(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        try:
            message = self.network.write(chat, await json_object(request))
        except CannotSend as error:
            raise bad_request(error) from None
        return web.json_response(message.for_browser())

    async def seen(self, request: web.Request) -> web.Response:
        await json_object(request)
        self.network.look_at(self._chat(request))
        return web.json_response({})

    async def start_over(self, request: web.Request) -> web.Response:
        """The product's side of a conversation, the desk's and the phone's are forgotten together."""
        await json_object(request)
        await self._start_over(self._chat(request))
        return web.json_response({})

    async def add_customer(self, request: web.Request) -> web.Response:
        """A number of one's own."""
        data = await json_object(request)
        try:
            customer = with_phone(str(data.get("phone", "")), str(data.get("name", ""))[:60], "Added by you")
        except ValueError as error:
            raise bad_request(error) from None
        return web.json_response(self.network.chat(customer).summary())

    async def media(self, request: web.Request) -> web.Response:
        stored = self.network.media.find(request.match_info["media_id"])
        if stored is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": stored.mime_type, "X-Content-Type-Options": "nosniff"}
        if stored.mime_type not in SHOWABLE:
            headers |= {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
        return web.Response(body=stored.data, headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events; the browser reads the state again whenever it has to reconnect."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        queue = self.network.feed.subscribe()
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            await response.write(_event({"event": "health", "ready": self.assistant_ready}))
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except asyncio.TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if event is None:
                    break
                await response.write(_event(event))
        except ConnectionResetError:
            pass
        finally:
            self.network.feed.unsubscribe(queue)
        return response

    def _chat(self, request: web.Request) -> Chat:
        try:
            return self.network.find(request.match_info["key"])
        except ValueError as error:
            raise bad_request(error) from None

    async def _watched(self, app: web.Application) -> AsyncIterator[None]:
        checker = asyncio.create_task(self._watch_health())
        yield
        checker.cancel()

    async def _stop(self, app: web.Application) -> None:
        self.network.feed.close()

    async def _watch_health(self) -> None:
        """Ask whether the assistant is up, while somebody looks at the page."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                if self.network.feed.watched:
                    ready = await _is_ready(session, self.network.configuration.health_url)
                    if ready != self.assistant_ready:
                        self.assistant_ready = ready
                        self.network.feed.tell("health", ready=ready)
                await asyncio.sleep(HEALTH_EVERY_S if self.assistant_ready else 0.5)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        return False


def _event(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()
