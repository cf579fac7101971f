"""The static files of the phone and the desk, with headers that let nothing else in."""

from __future__ import annotations

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


def page(name: str) -> web.FileResponse:
    return web.FileResponse(FOLDER / name, headers=HEADERS)


async def asset(request: web.Request) -> web.StreamResponse:
    """A script, a style sheet or a drawing; nothing outside the folder has a name here."""
    known = {path.name for path in FOLDER.iterdir() if path.suffix in ASSETS}
    if request.match_info["name"] not in known:
        raise web.HTTPNotFound
    return page(request.match_info["name"])
