"""The shop's own HTTP API: `POST {SHOP_API_URL}/orders/{order_id}/{action}`, signed as Meta signs its webhooks.

2xx: done. 409 with `{"reason"}`: refused. Whatever else comes, or nothing, is no answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import httpx

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Act, Answer, plain

ATTEMPT_S = 4.0
CONNECT_S = 2.0
MAX_ANSWER_BYTES = 65_536
MAX_WAIT_S = 5.0
SIGNATURE = "X-Shop-Signature-256"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


class SignedHttpApi:
    """Asks `url` (without a slash at its end), signing with `secret`."""

    def __init__(self, url: str, secret: str, attempt_s: float = ATTEMPT_S) -> None:
        self._url, self._secret, self._attempt_s = url.rstrip("/"), secret, attempt_s
        _trusted()

    async def attempt(self, act: Act) -> Answer:
        raw = json.dumps(act.body).encode()
        signature = hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: f"sha256={signature}", "Idempotency-Key": act.key, "Content-Type": "application/json"}
        order = quote(act.order_id, safe="")
        sent = await post(f"{self._url}/orders/{order}/{act.action}", raw, headers, self._attempt_s, reads=(409,))
        if isinstance(sent, Answer):
            return sent
        if 200 <= sent.status < 300:
            return Answer(DONE)
        if sent.status == 409:
            return Answer(REFUSED, reason=plain(as_object(sent.body).get("reason")))
        return no_answer(sent)


class Response:
    """Status, headers (case-insensitive) and at most `MAX_ANSWER_BYTES` of the body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


async def post(
    url: str, raw: bytes, headers: Mapping[str, str], within_s: float, reads: Container[int]
) -> Response | Answer:
    """What the server answers within so many seconds; else an Answer that says whether it may have heard of it.

    The body is read for the statuses in `reads` alone.
    """
    try:
        return await asyncio.wait_for(_posted(url, raw, headers, reads), within_s)
    except asyncio.TimeoutError:
        return Answer(UNKNOWN, why=f"no answer within {within_s:g} s")
    except _NEVER_SENT as error:
        return Answer(NOT_DONE, why=f"cannot be reached ({type(error).__name__})")
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Answer(UNKNOWN, why=f"the connection broke ({type(error).__name__})")


async def _posted(url: str, raw: bytes, headers: Mapping[str, str], reads: Container[int]) -> Response:
    timeout = httpx.Timeout(None, connect=CONNECT_S)
    client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, verify=_trusted())
    async with client, client.stream("POST", url, content=raw, headers=dict(headers)) as response:
        body = b""
        if response.status_code in reads:
            async for some in response.aiter_bytes():
                body += some
                if len(body) > MAX_ANSWER_BYTES:
                    break
        return Response(response.status_code, response.headers, body[:MAX_ANSWER_BYTES])


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The certificates of the world's authorities; reading them takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


def no_answer(response: Response) -> Answer:
    """A status that settles nothing. One of 4xx turns the request down; of any other, nobody knows what it did."""
    turned_down = 400 <= response.status < 500 and response.status not in (408, 409)
    wait = response.headers.get("Retry-After", "")
    wait_s = min(float(wait), MAX_WAIT_S) if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0.0
    return Answer(NOT_DONE if turned_down else UNKNOWN, why=f"HTTP {response.status}", wait_s=wait_s)


def as_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body; an empty one for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
