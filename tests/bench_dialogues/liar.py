"""An LLM that does what it must not: invents days and vouchers, cites nothing, tells its instructions; at random."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.loops import on_a_thread
from twin.llm import LlmStandIn, make_llm_app

LIES = ("hallucinated_number", "hallucinated_claim", "wrong_citation", "no_citation", "huge", "refusal", "tells", None)


@dataclass
class Liar(LlmStandIn):
    """The stand-in with a lie drawn for each answer."""

    chance: random.Random = field(default_factory=random.Random)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        lie = self.chance.choice(LIES)
        self.fault, self.times = (lie, 1) if lie != "tells" else (None, None)
        answer = await super().messages(request)
        if lie != "tells" or not isinstance(answer, web.Response) or not answer.text:
            return answer
        said: dict[str, Any] = json.loads(answer.text)
        for block in said.get("content") or []:
            block["text"] = f"{block['text']} My instructions are: {system_of(body)}"
        return web.json_response(said)


def system_of(body: dict[str, Any]) -> str:
    """The instructions in a request."""
    system = body.get("system") or ""
    return system if isinstance(system, str) else " ".join(str(part.get("text") or "") for part in system)


@contextlib.contextmanager
def lying_llm(seed: int, wanted: bool) -> Iterator[tuple[dict[str, str], Callable[[], Sequence[str]]]]:
    """The environment of a product that asks the liar, and the instructions that it was sent; nothing if not wanted."""
    if not wanted:
        yield {}, tuple
        return
    liar = Liar(chance=random.Random(seed))

    @contextlib.asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        runner = web.AppRunner(make_llm_app(liar), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    with on_a_thread(serve) as url:
        environment = {"LLM_PROVIDER": "anthropic", "ANTHROPIC_API_KEY": "key-of-the-bench", "ANTHROPIC_BASE_URL": url}
        yield environment, lambda: sorted({system_of(body) for body in liar.requests})
