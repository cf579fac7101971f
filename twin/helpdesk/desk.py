"""The agent desk: a page over the simulated helpdesk, which is mounted under /helpdesk and speaks as Zendesk does.

`ZENDESK_URL=http://127.0.0.1:{TWIN_PORT}/helpdesk` points the assistant at it; where tickets go elsewhere, the page
says so.
"""

from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from twin.configuration import TwinConfiguration
from twin.helpdesk.account import Helpdesk
from twin.helpdesk.api import mount
from twin.phone.pages import page

MOUNT = "/helpdesk"
PICTURES = ("image/png", "image/jpeg", "image/webp")
PICTURE_TIMEOUT_S = 15.0


class AgentDesk:
    """The page /desk, and the helpdesk beside it."""

    def __init__(self, configuration: TwinConfiguration) -> None:
        self.configuration = configuration
        self.helpdesk = Helpdesk(
            configuration.helpdesk_webhook_url, configuration.helpdesk_webhook_secret, configuration.helpdesk_token
        )

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/desk", self.page)
        app.router.add_get("/desk/api/about", self.about)
        app.router.add_put("/desk/api/open", self.set_open)
        app.router.add_get("/desk/api/picture", self.picture)
        mount(app, self.helpdesk, MOUNT)

    async def page(self, request: web.Request) -> web.StreamResponse:
        return page("desk.html", self.configuration)

    async def about(self, request: web.Request) -> web.Response:
        """Whether tickets arrive here, and where they go instead."""
        told = {"connected": self._is_ours(request), "ticketing": self.configuration.ticketing, "open": self._is_open()}
        return web.json_response(told)

    async def picture(self, request: web.Request) -> web.Response:
        """?url=: a customer's picture that the assistant's link in a ticket leads to, for the page to show."""
        ours = str(self.configuration.helpdesk_webhook_url).removesuffix("webhook") + "media/"
        if not request.query.get("url", "").startswith(ours):
            raise web.HTTPNotFound
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PICTURE_TIMEOUT_S)) as session,
                session.get(request.query["url"], allow_redirects=False) as answer,
            ):
                if answer.status != 200 or answer.content_type not in PICTURES:
                    raise web.HTTPNotFound
                headers = {"Content-Type": answer.content_type, "X-Content-Type-Options": "nosniff"}
                return web.Response(body=await answer.read(), headers=headers)
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise web.HTTPNotFound from None

    def _is_open(self) -> bool | None:
        """None where the shop's hours decide."""
        switch = self.configuration.desk_switch
        try:
            said = switch.read_text(encoding="utf-8").strip() if switch else ""
        except OSError:
            said = ""
        return {"open": True, "closed": False}.get(said)

    async def set_open(self, request: web.Request) -> web.Response:
        """{"open": whether people answer now}: the assistant says so to who asks for one."""
        if self.configuration.desk_switch is None:
            raise web.HTTPNotFound(text="The shop's opening hours decide here.")
        wished = bool((await request.json()).get("open"))
        self.configuration.desk_switch.write_text("open" if wished else "closed", encoding="utf-8")
        return await self.about(request)

    def _is_ours(self, request: web.Request) -> bool:
        address = urlsplit(self.configuration.helpdesk_url or "")
        here = address.port == self.configuration.port and address.path.rstrip("/") == MOUNT
        return self.configuration.ticketing == "zendesk" and here
