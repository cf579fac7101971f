"""The static files of the phone and the desk, with headers that let nothing else in."""

import html
from pathlib import Path

from aiohttp import web

from twin.configuration import TwinConfiguration

FOLDER = Path(__file__).resolve().parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
ASSETS = (".js", ".css", ".svg")
MAX_ICON_BYTES = 256 * 1024
_MONOGRAM = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="32" \
fill="hsl({hue} 45% 26%)"/><text x="32" y="33" fill="#fff" font-family="system-ui, sans-serif" font-size="26" \
font-weight="650" text-anchor="middle" dominant-baseline="central">{initials}</text></svg>"""


def page(name: str, shop: TwinConfiguration) -> web.Response:
    """A page with the shop's name where {shop} stands and its time zone where {zone} does."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    text = text.replace("{shop}", html.escape(shop.shop_name)).replace("{zone}", html.escape(shop.time_zone))
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


def icon(shop: TwinConfiguration) -> web.Response:
    """The shop's own drawing, else its initials on a colour of its own. The headers let a drawing load nothing."""
    drawing = _own_icon(shop.icon)
    if drawing is None:
        words = [word for word in shop.shop_name.split() if word[0].isalnum()]
        initials = "".join(word[0] for word in words[:2]).upper() or "?"
        hue = sum(map(ord, shop.shop_name)) * 47 % 360
        drawing = _MONOGRAM.format(hue=hue, initials=html.escape(initials)).encode()
    return web.Response(body=drawing, content_type="image/svg+xml", headers=HEADERS)


def _own_icon(path: Path | None) -> bytes | None:
    try:
        drawing = path.read_bytes() if path else b""
    except OSError:
        return None
    return drawing if 0 < len(drawing) <= MAX_ICON_BYTES else None


async def asset(request: web.Request) -> web.StreamResponse:
    """A script, a style sheet or a drawing; nothing outside the folder has a name here."""
    known = {path.name for path in FOLDER.iterdir() if path.suffix in ASSETS}
    if request.match_info["name"] not in known:
        raise web.HTTPNotFound
    return web.FileResponse(FOLDER / request.match_info["name"], headers=HEADERS)
