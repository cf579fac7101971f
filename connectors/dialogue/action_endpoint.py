"""Calls to the action server over connections that stay open, within a customer's patience.

Stock Rasa opens a connection for every action and waits five minutes. When the action server cannot be reached, the
turn is told: Rasa itself only logs it and goes on without words. Of the domain's responses, which are most of it, only
those go along that actions put sentences together from, in the customer's language: the others are Rasa's to say, and
cost both sides milliseconds.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

import tracing
from connectors.message_bus.keyed_executor import release_during_io
from connectors.message_bus.turn import current_turn
from skills import PIECE

TIMEOUT_S = 20.0
# Shorter than the action server keeps its side open (5 s), so that a call does not meet a closing connection.
KEEP_ALIVE_S = 3.0


class KeptAliveEndpoint(EndpointConfig):
    """An EndpointConfig with one session for all calls; made for the action server."""

    _session: aiohttp.ClientSession | None = None
    _domain: tuple[Any, dict[Any, str]] = (None, {})  # the last that was sent, and what is sent of it by language

    @classmethod
    def like(cls, other: EndpointConfig, token: str | None = None) -> KeptAliveEndpoint:
        """The same endpoint, kept alive; `token` is shown to it with each call."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(
            other.url, other.params, {**(other.headers or {}), **shown}, other.basic_auth, other.token,
            other.token_name, other.cafile, **other.kwargs,
        )  # fmt: skip

    def kept_session(self) -> aiohttp.ClientSession:
        """The session of this event loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers=self.headers,
                auth=aiohttp.BasicAuth(**self.basic_auth) if self.basic_auth else None,
                connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, connect=3),
            )
        return self._session

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As EndpointConfig.request, except that a call which cannot be made is noted on the current turn."""
        if self.cafile or subpath or "headers" in kwargs:
            return await super().request(method, subpath, content_type, compress, **kwargs)
        call = kwargs.pop("json", None)
        if call is not None:
            kwargs["data"] = self._body(call)
        kwargs["timeout"] = aiohttp.ClientTimeout(total=TIMEOUT_S, connect=3)
        with tracing.span("action.call", action=(call or {}).get("next_action")):
            try:
                return await self._call(method, content_type, compress, **kwargs)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                return await self._noting(self._call(method, content_type, compress, **kwargs))
            except (aiohttp.ClientConnectionError, asyncio.TimeoutError) as error:
                _note(error)
                raise

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

    async def _noting(self, call: Any) -> Any:
        try:
            return await call
        except (aiohttp.ClientConnectionError, asyncio.TimeoutError) as error:
            _note(error)
            raise

    async def _call(self, method: str, content_type: str | None, compress: bool, **kwargs: Any) -> Any:
        headers = {"Content-Type": content_type} if content_type else {}
        if carried := tracing.carry():
            headers[tracing.HEADER] = carried
        params = self.combine_parameters(kwargs)
        async with release_during_io(), self.kept_session().request(
            method, self.url, headers=headers, params=params, compress=compress, **kwargs
        ) as response:
            if response.status >= 400:
                raise ClientResponseError(response.status, response.reason, await response.content.read())
            try:
                return await response.json()
            except aiohttp.ContentTypeError:
                return None


def _sayable(variations: list[dict[str, Any]], language: object) -> list[dict[str, Any]]:
    """Without those of other languages."""

    def differs(condition: dict[str, Any]) -> bool:
        return condition.get("name") == "language" and _folded(condition.get("value")) != _folded(language)

    return [one for one in variations if not any(map(differs, one.get("condition") or ()))]


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def _note(error: Exception) -> None:
    turn, was_made = current_turn.get(), not isinstance(error, aiohttp.ClientConnectionError)
    if turn is not None and not was_made:
        turn.dependency_unavailable = "action server"
