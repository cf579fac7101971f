"""One HTTP call to the shop within a time limit, and what it means when no answer comes."""

import asyncio
import ssl
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

from actions.self_service.acts import NOT_DONE, UNKNOWN, Answer
from lenient_json import as_mapping, parsed

CALL_S = 4.0
CONNECT_S = 2.0
MAX_ANSWER_BYTES = 262_144
MAX_WAIT_S = 5.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


@dataclass(frozen=True)
class Response:
    """Status, headers (case-insensitive) and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def content(self) -> Mapping[str, Any]:
        """The JSON object in the body; an empty one for anything else."""
        return as_mapping(parsed(self.body))


async def call(
    method: str, url: str, headers: Mapping[str, str], raw: bytes = b"", within_s: float = CALL_S,
    reads: Container[int] = range(600),
) -> Response | Answer:  # fmt: skip
    """What the server answers within so many seconds; else an Answer that says whether it may have heard of it.

    The body is read for the statuses in `reads` alone. Redirects are not followed.
    """
    try:
        return await asyncio.wait_for(_called(method, url, headers, raw, reads), within_s)
    except asyncio.TimeoutError:
        return Answer(UNKNOWN, why=f"no answer within {within_s:g} s")
    except _NEVER_SENT as error:
        return Answer(NOT_DONE, why=f"cannot be reached ({type(error).__name__})")
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Answer(UNKNOWN, why=f"the connection broke ({type(error).__name__})")


async def _called(
    method: str, url: str, headers: Mapping[str, str], raw: bytes, reads: Container[int]
) -> Response:
    timeout = httpx.Timeout(None, connect=CONNECT_S)
    client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, verify=trusted())
    async with client, client.stream(method, url, content=raw, headers=dict(headers)) as response:
        body = b""
        if response.status_code in reads:
            async for some in response.aiter_bytes():
                body += some
                if len(body) > MAX_ANSWER_BYTES:
                    break
        return Response(response.status_code, response.headers, body[:MAX_ANSWER_BYTES])


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """The certificates of the world's authorities; reading them takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


def no_answer(response: Response) -> Answer:
    """A status that settles nothing. One of 4xx turns the request down; of any other, nobody knows what it did."""
    turned_down = 400 <= response.status < 500 and response.status not in (408, 409)
    wait = response.headers.get("Retry-After", "")
    wait_s = min(float(wait), MAX_WAIT_S) if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0.0
    return Answer(NOT_DONE if turned_down else UNKNOWN, why=f"HTTP {response.status}", wait_s=wait_s)


def only_asked(answer: Answer) -> Answer:
    """Of a call that changes nothing: whatever came of it, nothing is done."""
    return Answer(NOT_DONE, why=answer.why, wait_s=answer.wait_s)
