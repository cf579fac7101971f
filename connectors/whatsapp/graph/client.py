"""The Graph API: sending, read marks, media in both directions.

Sending has no idempotency key: after a timeout nobody knows whether the message went out, so such errors are marked
`ambiguous` and only the status webhooks (by `biz_opaque_callback_data`) can tell. Errors are one class per remedy, see
`errors.py`. Neither token nor texts appear in any error, log line or `repr`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from connectors.http_calls import HttpCalls, NoAnswer, NotSent
from connectors.message_bus.sending.errors import MediaFailed, Transient
from connectors.whatsapp.graph.errors import classify
from lenient_json import as_int, as_mapping, number, objects, parsed, text
from settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 3.0
MAX_CONNECTIONS = 100
MEDIA_TIMEOUT_S = 30.0
MAX_PAGES = 60  # an account has 6000 templates at most
META_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")

_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=60.0, sock_connect=CONNECT_TIMEOUT_S)
_LONG_NUMBER = re.compile(r"\d{7,}")


def appsecret_proof(access_token: str, app_secret: str) -> str:
    """What Meta asks of an app that requires proof: a token without its app's secret is of no use to a thief.

    https://developers.facebook.com/docs/graph-api/guides/secure-requests
    """
    return hmac.new(app_secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Media:
    """A customer's file as Meta hands it out; its type is what the sender said."""

    mime_type: str
    data: bytes


class GraphClient:
    """Calls of one business number. Made anywhere, used and closed in one event loop.

    Every call raises a SendError, and nothing else.
    """

    @classmethod
    def from_settings(cls, configured: Settings) -> GraphClient:
        """The client of the configured number; with a proof of the app secret where WHATSAPP_APPSECRET_PROOF is on."""
        token, secret = configured.whatsapp_access_token or "", configured.whatsapp_app_secret or ""
        proof = appsecret_proof(token, secret) if configured.values["WHATSAPP_APPSECRET_PROOF"] == "on" else None
        return cls(str(configured.whatsapp_graph_url), str(configured.whatsapp_phone_number_id), token, proof=proof)

    def __init__(
        self,
        graph_url: str,
        phone_number_id: str,
        access_token: str,
        timeout_s: float = TIMEOUT_S,
        proof: str | None = None,
    ) -> None:
        self._base = graph_url.rstrip("/")
        self._number = quote(phone_number_id, safe="")
        self._token, self._proof = access_token, {"appsecret_proof": proof} if proof else None
        self._timeout_s = timeout_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_TIMEOUT_S, timeout_s))
        self._session: aiohttp.ClientSession | None = None
        self._calls: HttpCalls | None = None

    def __repr__(self) -> str:
        return f"GraphClient({self._base}/{self._number})"

    async def send(self, body: Mapping[str, Any]) -> str:
        """Send a complete message body; the wamid under which Meta accepted it."""
        answer = await self._post(body)
        for message in objects(answer.get("messages")):
            if wamid := text(message.get("id"), 512):
                return wamid
        raise Transient("accepted without a message id", http_status=200, ambiguous=True)

    async def mark_read(self, wamid: str, typing: bool = True) -> None:
        """Show the blue ticks and (until we answer, for at most 25 s) that we are typing."""
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._post(body)

    async def media(self, media_id: str, max_bytes: int) -> Media:
        """A customer's file, which Meta keeps for seven days. Raises MediaFailed for one that is larger."""
        found = await self._call("GET", f"{self._base}/{quote(media_id, safe='')}?phone_number_id={self._number}")
        url, announced = text(found.get("url"), 4000), number(found.get("file_size"))
        if not url:
            raise Transient("media without an address", http_status=200)
        if not self._is_metas(url):
            raise MediaFailed("media at an address that is not Meta's")
        if announced is not None and announced > max_bytes:
            raise MediaFailed("media larger than allowed")
        try:
            return await self._download(url, max_bytes)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise Transient(type(error).__name__) from None

    def _is_metas(self, url: str) -> bool:
        """Whether an address may get our token: it is Graph's own, or one of Meta's."""
        try:
            parts, own = urlsplit(url), urlsplit(self._base)
            host = (parts.hostname or "").lower()
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme == "https" and any(host == name or host.endswith(f".{name}") for name in META_HOSTS)

    async def _download(self, url: str, max_bytes: int) -> Media:
        timeout, content = aiohttp.ClientTimeout(total=MEDIA_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S), bytearray()
        async with self._ready().get(url, allow_redirects=False, timeout=timeout) as answer:
            if answer.status != 200:
                _refuse(answer.status, None, None)
            async for chunk in answer.content.iter_chunked(64 * 1024):
                content += chunk
                if len(content) > max_bytes:
                    raise MediaFailed("media larger than allowed")
            return Media(answer.content_type.lower(), bytes(content))

    async def upload(self, content: bytes, content_type: str, filename: str) -> str:
        """The media id under which Meta keeps a file of ours for 30 days. Done twice, one of them is never used."""
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", content_type)
        form.add_field("file", content, content_type=content_type, filename=filename)
        answer = await self._call("POST", f"{self._base}/{self._number}/media", form=form)
        if media_id := text(answer.get("id"), 200):
            return media_id
        raise Transient("uploaded without a media id", http_status=200, ambiguous=True)

    async def templates(self, account_id: str) -> list[Mapping[str, Any]]:
        """The message templates of a WhatsApp Business account: name, language, status, category, components."""
        fields = "fields=name,language,status,category,components&limit=100"
        path, found, after = f"{self._base}/{quote(account_id, safe='')}/message_templates?{fields}", [], ""
        for _ in range(MAX_PAGES):
            # Not `paging.next`: an address that an answer names does not get our token.
            answer = await self._call("GET", f"{path}&after={quote(after, safe='')}" if after else path)
            found += objects(answer.get("data"))
            paging = as_mapping(answer.get("paging"))
            after = text(as_mapping(paging.get("cursors")).get("after"), 1000) if paging.get("next") else ""
            if not after:
                break
        return found

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._calls is not None:
            self._calls.close()
            self._calls = None

    async def _post(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A call about a message: two a turn, so not by way of the client that does everything."""
        proof = f"?{urlencode(self._proof)}" if self._proof else ""
        try:
            if self._calls is None:
                headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
                connect_timeout_s = min(CONNECT_TIMEOUT_S, self._timeout_s)
                url = f"{self._base}/{self._number}/messages"
                self._calls = HttpCalls(url, headers, self._timeout_s, connect_timeout_s, connections=MAX_CONNECTIONS)
            said = await self._calls.post(self._calls.path + proof, json.dumps(body).encode(), {})
        except (NotSent, ValueError) as error:
            raise Transient(type(error).__name__) from None
        except (NoAnswer, asyncio.TimeoutError) as error:
            raise Transient(type(error).__name__, ambiguous=True) from None
        return _understood(said.status, said.body, said.headers)

    async def _call(self, method: str, url: str, form: aiohttp.FormData | None = None) -> Mapping[str, Any]:
        timeout = self._timeout if form is None else _UPLOAD_TIMEOUT
        try:
            # Redirects are not followed: nobody else gets our token.
            async with self._ready().request(
                method, url, params=self._proof, data=form, allow_redirects=False, timeout=timeout
            ) as response:
                return _understood(response.status, await response.read(), response.headers)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise Transient(type(error).__name__) from None

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=60),
                headers={"Authorization": f"Bearer {self._token}"},
            )
        return self._session


def _understood(status: int, raw: bytes, headers: Mapping[str, str]) -> Mapping[str, Any]:
    answer = _answer(raw)
    if 200 <= status < 300 and answer is not None and "error" not in answer:
        return answer
    _refuse(status, answer, number(headers.get("retry-after")))


def _answer(raw: bytes) -> Mapping[str, Any] | None:
    """The JSON object of an answer; None for HTML, an empty body and the like."""
    found = parsed(raw)
    return found if isinstance(found, dict) else None


def _refuse(status: int, answer: Mapping[str, Any] | None, retry_after_s: float | None) -> NoReturn:
    error = as_mapping(answer.get("error")) if answer is not None else {}
    code = as_int(error.get("code"))
    kind = classify(code, status, error.get("is_transient") is True, as_int(error.get("error_subcode")))
    title = _LONG_NUMBER.sub("…", text(error.get("type"), 60))
    # A gateway's own page says nothing about what the server behind it has done.
    ambiguous = answer is None and (status >= 500 or status < 300)
    raise kind(
        f"HTTP {status} code {code} {title}".strip(),
        code=code,
        http_status=status,
        retry_after_s=retry_after_s if retry_after_s is not None and 0 <= retry_after_s <= 86_400 else None,
        ambiguous=ambiguous,
    )
