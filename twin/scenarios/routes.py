"""Scenarios over HTTP: what there is, play one, what is played, and a recording.

    GET  /scenarios                 {"scenarios": [{key, name, tells, customer}], "played": see Played or null}
    POST /scenarios/{key}/play      {"speed": 1, "wait": false}: wait for its end, as tests do
    GET  /scenarios/record          ?customer=: YAML of what this customer just did
"""

import asyncio

from aiohttp import web

from twin.control import bad_request, json_object
from twin.phone.chats import Chat
from twin.scenarios.player import Player
from twin.scenarios.script import recorded, scripts
from twin.whatsapp.network import Network


class Scenarios:
    """Routes under /scenarios."""

    def __init__(self, network: Network, player: Player) -> None:
        self._network, self._player = network, player
        self._playing: asyncio.Task[object] | None = None

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/scenarios", self.listing)
        app.router.add_get("/scenarios/record", self.record)
        app.router.add_post("/scenarios/{key}/play", self.play)

    async def listing(self, request: web.Request) -> web.Response:
        self._network.load_demo_customers()
        names = {chat.customer.name for chat in self._network.chats.values()}
        found = [
            {"key": one.key, "name": one.name, "tells": one.tells, "customer": one.customer}
            for one in scripts()
            if one.customer in names
        ]
        played = self._player.played
        return web.json_response({"scenarios": found, "played": played.for_browser() if played else None})

    async def play(self, request: web.Request) -> web.Response:
        given = await json_object(request)
        script = next((one for one in scripts() if one.key == request.match_info["key"]), None)
        if script is None:
            raise web.HTTPNotFound(text="There is no such scenario.")
        if self._playing is not None and not self._playing.done():
            raise bad_request(ValueError("Another scenario is playing."))
        speed = float(given.get("speed", 1.0))
        self._playing = asyncio.get_running_loop().create_task(self._player.play(script, speed))
        if given.get("wait"):
            await self._playing
        await asyncio.sleep(0)
        played = self._player.played
        return web.json_response(played.for_browser() if played else {})

    async def record(self, request: web.Request) -> web.Response:
        try:
            chat: Chat = self._network.find(request.query.get("customer", ""))
        except ValueError as error:
            raise bad_request(error) from None
        return web.json_response({"yaml": recorded(chat)})
