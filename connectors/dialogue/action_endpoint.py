"""Calls to the action server over connections that stay open, within a customer's patience.

Stock Rasa opens a connection for every action and waits five minutes. When the action server cannot be reached, the
turn is told: Rasa itself only logs it and goes on without words. Of the domain's responses, which are most of it, only
those go along that actions put sentences together from, in the customer's language: the others are Rasa's to say, and
cost both sides milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlencode

import aiohttp
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

import tracing
from connectors.http_calls import HttpCalls, NoAnswer, NotSent
from connectors.message_bus.keyed_executor import release_during_io
from connectors.message_bus.turn import current_turn
from skills import PIECE

TIMEOUT_S = 20.0
# They change something outside, once however often they are called: only another call tells what became of it.
ACTING = frozenset({"action_order_change_outcome", "action_escalate"})
# Shorter than the action server keeps its side open (5 s), so that a call does not meet a closing connection.
KEEP_ALIVE_S = 3.0


class KeptAliveEndpoint(EndpointConfig):
    """An EndpointConfig with one session for all calls; made for the action server."""

    _calls: HttpCalls | None = None
    _path = ""
    _domain: tuple[Any, dict[Any, str]] = (None, {})  # the last that was sent, and what is sent of it by language

    @classmethod
    def like(cls, other: EndpointConfig, token: str | None = None) -> KeptAliveEndpoint:
        """The same endpoint, kept alive; `token` is shown to it with each call."""
        for name in ("rasa.core.processor", "rasa.core.actions.action"):
            logging.getLogger(name).addFilter(_is_news)
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(
            other.url, other.params, {**(other.headers or {}), **shown}, other.basic_auth, other.token,
            other.token_name, other.cafile, **other.kwargs,
        )  # fmt: skip

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As EndpointConfig.request, except that a call which cannot be made is noted on the current turn.

        The rest of such a turn calls nothing: it will run again, and what Rasa goes on with knows of no outcome.
        """
        call = kwargs.get("json")
        if self.cafile or subpath or compress or call is None or method.lower() != "post":
            return await super().request(method, subpath, content_type, compress, **kwargs)
        turn, action, unanswered = current_turn.get(), call.get("next_action"), False
        if turn is not None and turn.dependency_unavailable:
            raise aiohttp.ClientConnectionError("no answer to an earlier call of this turn")
        body = self._body(call)
        with tracing.span("action.call", action=action):
            try:
                try:
                    return await self._call(body)
                except NoAnswer:
                    unanswered = True
                    return await self._call(body)
            except (ConnectionError, asyncio.TimeoutError) as error:
                if isinstance(error, asyncio.TimeoutError) and action not in ACTING:
                    raise
                if turn is not None:
                    turn.dependency_unavailable = "action server"
                    turn.unanswered = unanswered or not isinstance(error, NotSent)
                raise aiohttp.ClientConnectionError(str(error)) from error

    async def _call(self, body: bytes) -> Any:
        if self._calls is None:
            self._calls = HttpCalls(self.url, self._headers(), TIMEOUT_S, keep_alive_s=KEEP_ALIVE_S)
            asked = urlencode(self.combine_parameters())
            self._path = f"{self._calls.path}?{asked}" if asked else self._calls.path
        carried = tracing.carry()
        async with release_during_io():
            said = await self._calls.post(self._path, body, {tracing.HEADER: carried} if carried else {})
        if said.status >= 400:
            raise ClientResponseError(said.status, said.reason, said.body)
        return json.loads(said.body) if "json" in said.headers.get("content-type", "") else None

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **self.headers}
        if self.basic_auth:
            headers["Authorization"] = aiohttp.BasicAuth(**self.basic_auth).encode()
        return headers

    def _body(self, call: dict[str, Any]) -> bytes:
        """An action call as JSON; the domain, the same in each of a language, is written once."""
        domain = call.get("domain")
        if not domain:
            return json.dumps(call).encode()
        if self._domain[0] is not domain:
            self._domain = domain, {}
        written = self._domain[1]
        language = ((call.get("tracker") or {}).get("slots") or {}).get("language")
        if language not in written:
            responses = (domain.get("responses") or {}).items()
            pieces = {name: _sayable(variations, language) for name, variations in responses if PIECE in name}
            written[language] = json.dumps({**domain, "responses": pieces})
        rest = json.dumps({name: value for name, value in call.items() if name != "domain"})
        return f'{rest[:-1]}, "domain": {written[language]}}}'.encode()


def _sayable(variations: list[dict[str, Any]], language: object) -> list[dict[str, Any]]:
    """Without those of other languages."""

    def differs(condition: dict[str, Any]) -> bool:
        return condition.get("name") == "language" and _folded(condition.get("value")) != _folded(language)

    return [one for one in variations if not any(map(differs, one.get("condition") or ()))]


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def _is_news(_: logging.LogRecord) -> bool:
    """Not Rasa's traceback for each call of an action server that is away: `consumer.turn.waits` tells of it."""
    turn = current_turn.get()
    return turn is None or turn.dependency_unavailable is None
