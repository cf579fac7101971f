"""Requests that Sanic 21.12 cannot survive are refused while only their head has been read.

A negative Content-Length sends its body reader into a loop that never gives the event loop back: one request from
anybody, signed or not, and the server is gone for all customers. One that is not a number is answered with a 500.
"""

import re
from typing import Any

from sanic import Blueprint, Sanic
from sanic.exceptions import InvalidUsage, PayloadTooLarge
from sanic.request import Request

MAX_BODY_BYTES = 3 * 1024 * 1024  # of any webhook
MAX_SKIPPED_BYTES = 32 * 1024 * 1024
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class GuardedRequest(Request):
    """A request whose announced length is one number: Sanic makes this object before it looks at the length."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Raises InvalidUsage, which Sanic answers with 400 and a closed connection."""
        super().__init__(*args, **kwargs)
        lengths = self.headers.getall("content-length", [])
        if len(set(lengths)) > 1 or not all(_LENGTH.fullmatch(length.strip()) for length in lengths):
            raise InvalidUsage("Bad Request")


class GuardedBlueprint(Blueprint):
    """A blueprint that protects the whole application it is registered with."""

    def register(self, app: Sanic, options: dict[str, Any]) -> None:
        """Register the routes, and the guard for all routes there are."""
        app.request_class = GuardedRequest
        super().register(app, options)


async def read_body(request: Request) -> bytes:
    """The raw body, read no further than our limit whatever Content-Length says. Raises PayloadTooLarge."""
    stream = request.stream
    # Sanic compares it with what was announced and with what arrives.
    stream.request_max_size = MAX_BODY_BYTES
    try:
        return b"".join([chunk async for chunk in stream])
    except PayloadTooLarge:
        # Sanic skips the rest after the answer; closing at once would reset the connection, answer included.
        stream.request_max_size = MAX_SKIPPED_BYTES
        raise
