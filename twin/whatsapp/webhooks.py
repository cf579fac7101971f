"""Meta's side of the webhook: signed, delivered at least once, again and again until the answer is 200."""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.5
MAX_RETRY_S = 15.0
ANSWER_TIMEOUT_S = 20.0
ATTEMPTS_KEPT = 5000


@dataclass(frozen=True)
class Attempt:
    """One POST: the HTTP status, or None when nobody answered, and how long the answer took."""

    status: int | None
    seconds: float

    @property
    def accepted(self) -> bool:
        return self.status == 200


def encode(body: dict[str, Any]) -> bytes:
    """JSON the way Meta's servers write it, slashes and non-ASCII escaped: the very bytes that are signed."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(app_secret: str, raw: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()


class WebhookSender:
    """Posts notifications to the assistant. `retry_s` scales the waits, for tests."""

    def __init__(self, url: str, app_secret: str, first_retry_s: float = FIRST_RETRY_S) -> None:
        self.url = url
        self.first_retry_s = first_retry_s
        self.attempts: deque[Attempt] = deque(maxlen=ATTEMPTS_KEPT)
        self.pending = 0
        self._app_secret = app_secret
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, body: dict[str, Any], on_attempt: Callable[[Attempt], None] | None = None) -> None:
        """Post until the assistant answers 200. Cancelling the task is the only way to give up."""
        raw = encode(body)
        wait_s = self.first_retry_s
        self.pending += 1
        try:
            while True:
                attempt = await self.post_once(raw)
                if on_attempt is not None:
                    on_attempt(attempt)
                if attempt.accepted:
                    return
                log.info("twin.webhook.refused status=%s retry_s=%.1f", attempt.status, wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, MAX_RETRY_S)
        finally:
            self.pending -= 1

    async def post_once(self, raw: bytes, signed: str | None = None) -> Attempt:
        """One POST of these bytes; `signed` replaces the right signature."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signed if signed is not None else signature(self._app_secret, raw),
        }
        began = asyncio.get_running_loop().time()
        status: int | None = None
        try:
            async with self._http().post(self.url, data=raw, headers=headers) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            pass
        attempt = Attempt(status, asyncio.get_running_loop().time() - began)
        self.attempts.append(attempt)
        return attempt

    async def verify(self, token: str) -> tuple[int | None, bool]:
        """Meta's handshake when a webhook is registered: the HTTP status, and whether the challenge came back."""
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
        try:
            async with self._http().get(self.url, params=query) as response:
                return response.status, await response.text() == challenge
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return None, False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=200))
        return self._session
