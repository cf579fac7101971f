"""With an LLM: what it may word and what it may read, through the real servers, and what it may not."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import httpx
import pytest
from aiohttp import web

from tests.journeys.shop import Shop, words
from tests.loops import on_a_thread
from twin.llm import LlmStandIn, make_llm_app

ASHA, MEERA = "+919876543210", "+919900112233"
QUESTION = "how many days do i have to return a kurta?"
RIDDLE = "seventeen and a half"


@pytest.fixture(scope="module")
def llm() -> Iterator[SimpleNamespace]:
    """The stand-in on a thread of its own: `.url`, `.api`."""
    found = SimpleNamespace(api=LlmStandIn(), url="")

    @contextlib.asynccontextmanager
    async def serve() -> AsyncIterator[SimpleNamespace]:
        runner = web.AppRunner(make_llm_app(found.api), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
        await runner.cleanup()

    with on_a_thread(serve) as running:
        yield running


@pytest.fixture(scope="module")
def shop(llm: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    environment = {"LLM_PROVIDER": "anthropic", "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": llm.url}
    with Shop(tmp_path_factory.mktemp("llm"), **environment, LLM_TIMEOUT_S="2", LLM_READER="always") as running:
        yield running


@pytest.mark.parametrize("fault", [None, "hallucinated_number", "hang", "server_error", "refusal", "huge"])
def test_policy_answer_holds_only_what_the_pages_say(shop: Shop, llm: SimpleNamespace, fault: str | None) -> None:
    llm.api.fault = fault
    said = words(shop.customer(MEERA).say(QUESTION))
    llm.api.fault = None
    assert re.search(r"\d+ days", said)
    assert "365" not in said
    assert "our page" in said, "asked again it says so in other words"


def test_what_was_not_understood_is_read_and_done(shop: Shop, llm: SimpleNamespace) -> None:
    asha = shop.customer(ASHA)
    llm.api.commands = ["check_order_status"]
    assert "#10234" in words(asha.say(RIDDLE))
    llm.api.commands = [{"name": "cancel_order", "order": "10234"}]
    assert "10234" in words(asha.say(RIDDLE))
    llm.api.commands, llm.api.fault = ["check_order_status"], "hang"
    assert words(asha.say(RIDDLE))
    llm.api.fault = None


def test_the_metrics_show_what_the_llm_did(shop: Shop) -> None:
    text = httpx.get(f"{shop.rasa_url}/metrics").text
    for outcome in ("grounded", "rejected", "timeout", "refusal", "error"):
        assert f'outcome="{outcome}",provider="anthropic",purpose="policy_answer"' in text
    assert 'outcome="read",provider="anthropic",purpose="reading"' in text


def test_yes_that_only_the_llm_heard_does_nothing(shop: Shop, llm: SimpleNamespace) -> None:
    lakshmi = shop.customer("+919447012345")
    llm.api.commands = None
    assert "Shall I cancel order #10252 now?" in words(lakshmi.say("cancel 10252"))
    llm.api.commands = ["affirm"]
    assert "clear yes" in words(lakshmi.say("hmm whatever you think"))
    assert not shop.twin.get("/shop/acts").json()
    llm.api.commands = ["deny"]
    assert "#10252 is cancelled" in words(lakshmi.say("yes"))
    llm.api.commands = None
