"""The static files of the phone and the desk, with headers that let nothing else in."""

from __future__ import annotations

import html
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).resolve().parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
ASSETS = (".js", ".css", ".svg")


def page(name: str, shop: str) -> web.Response:
    """A page with the shop's name where {shop} stands."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("{shop}", html.escape(shop))
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


async def asset(request: web.Request) -> web.StreamResponse:
    """A script, a style sheet or a drawing; nothing outside the folder has a name here."""
    known = {path.name for path in FOLDER.iterdir() if path.suffix in ASSETS}
    if request.match_info["name"] not in known:
        raise web.HTTPNotFound
    return web.FileResponse(FOLDER / request.match_info["name"], headers=HEADERS)
