"""Requests that Sanic 21.12 cannot survive are refused while only their head has been read.

A negative Content-Length sends its body reader into a loop that never gives the event loop back: one request from
anybody, signed or not, and the server is gone for all customers. One that is no number is answered with a 500.
"""

from __future__ import annotations

import re
from typing import Any

from sanic import Blueprint, Sanic

_CONTENT_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"[0-9]{1,18}")


class GuardedBlueprint(Blueprint):
    """A blueprint that protects the whole application it is registered with."""

    def register(self, app: Sanic, options: dict[str, Any]) -> None:
        """Register the guard (before the server starts, or Sanic leaves the signal out) and the routes."""
        app.add_signal(refuse_bad_lengths, "http.lifecycle.read_head")
        super().register(app, options)


async def refuse_bad_lengths(head: bytes) -> None:
    """Raise ValueError, which Sanic answers with 400 and a closed connection, unless the lengths are one number."""
    lengths = _CONTENT_LENGTH.findall(head)
    if len(set(lengths)) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        raise ValueError("bad Content-Length")
