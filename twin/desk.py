"""The agent desk: a page over the helpdesk stand-in, when there is one."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from aiohttp import web

from twin.browser import PAGE_HEADERS, PAGES
from twin.configuration import TwinConfiguration


class AgentDesk:
    """The page /desk, and the helpdesk stand-in's API beside it."""

    def __init__(self, shop: TwinConfiguration) -> None:
        self.shop = shop
        self.helpdesk = _helpdesk()

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/desk", self.page)

    async def page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGES / "desk.html", headers=PAGE_HEADERS)


def _helpdesk() -> ModuleType | None:
    """`twin.helpdesk`, if this checkout has it."""
    return importlib.import_module("twin.helpdesk") if importlib.util.find_spec("twin.helpdesk") else None
