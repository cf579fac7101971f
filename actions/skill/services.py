"""Each capability of the action server, built once and only when the first action asks for it.

Pattern: a cached function without arguments, which imports its capability inside (so that one broken or slow
import cannot keep the other skills from starting) and reads `settings.load()`. Actions take the capability as
an optional constructor argument and fall back to this; tests pass a fake instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import settings
import shop
from components.order_numbers.samples import example_number
from components.order_numbers.shape import Shape
from components.order_numbers.shops import shop_pattern

if TYPE_CHECKING:
    from actions.knowledge.answers.answering import PolicyAnswers
    from actions.knowledge.answers.writing import Writer
    from actions.llm.client import LlmClient
    from actions.llm.reader import Reader
    from actions.orders.lookup import Orders
    from actions.self_service.performing import SelfService

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def orders() -> Orders:
    """Look-ups in the shop's orders database."""
    from actions.orders.lookup import Orders
    from actions.orders.repository import OrderRepository
    from actions.orders.rows import RowReader

    configured = settings.load()
    ours = shop.load()
    reader = RowReader(ours.region, ours.time_zone, ours.orders.get("statuses") or {})
    return Orders(OrderRepository(configured.values["ORDERS_DATABASE_URL"] or "", reader))


@lru_cache(maxsize=1)
def self_service() -> SelfService | None:
    """The shop's own system, where it can be asked to act; None where the settings or `shop.yml` name nothing."""
    from actions.self_service.adapters import shop_port
    from actions.self_service.performing import SelfService

    configured, listed = settings.load(), shop.load().actions
    url, secret = configured.shop_api_url, configured.shop_api_secret
    if not (url and secret and listed):
        return None
    port = shop_port(url, secret)
    return SelfService(port, tuple(action for action in listed if action in port.can))


def order_number_example() -> str:
    """An order number as this shop writes them."""
    return example_number(Shape.of(shop_pattern()), shop.load().orders.get("id_examples") or ())


def warm_up() -> None:
    """Build every capability, so that the first customer does not wait for it. Blocking: a few seconds."""
    for build in (orders, _indexed_knowledge):
        _try(build)


def _try(build: Callable[[], object]) -> None:
    try:
        build()
    except Exception:
        # The action that needs it says so to the customer; here it is only early.
        log.exception("services.warm_up.failed")


@lru_cache(maxsize=1)
def knowledge() -> PolicyAnswers:
    """Answers from the shop's policy pages, written by an LLM where one is configured."""
    from actions.knowledge.answers.answering import PolicyAnswers
    from actions.knowledge.retrieval.retriever import default_retriever
    from privacy.redaction import redact

    configured = settings.load()
    return PolicyAnswers(default_retriever(), _writer(_llm()), redact, configured.number("LLM_TIMEOUT_S"))


async def knowledge_when_built() -> PolicyAnswers:
    """The same without stopping the event loop: built for the first customer of all, it loads a model and an SDK."""
    return await asyncio.to_thread(knowledge)


@lru_cache(maxsize=1)
def reader() -> Reader | None:
    """Who reads what a message means; None where the settings ask for nobody."""
    from actions.llm.reader import Reader

    configured = settings.load()
    client = _llm() if configured.reader_asked != "never" else None
    return Reader(client, configured.number("LLM_INTENT_TIMEOUT_S")) if client else None


def _indexed_knowledge() -> None:
    knowledge().prepare()


@lru_cache(maxsize=1)
def _llm() -> LlmClient | None:
    """The configured LLM; None, said once in the log, when it has no key."""
    configured = settings.load()
    client = llm_client(configured, configured.number("LLM_TIMEOUT_S"))
    if client is None:
        log.info("llm.none provider=%s", configured.llm_provider)
    return client


def llm_client(configured: settings.Settings, wait_s: float) -> LlmClient | None:
    """A client of the provider that the settings name, which waits this long; None without its key."""
    model = configured.llm_model or ""
    if configured.llm_provider == "anthropic" and configured.anthropic_api_key:
        from actions.llm.anthropic_api import anthropic_client

        return anthropic_client(configured.anthropic_api_key, model, configured.anthropic_base_url, wait_s)
    if configured.llm_provider == "openai" and configured.openai_api_key:
        from actions.llm.openai_api import openai_client

        return openai_client(configured.openai_api_key, model, configured.openai_base_url, wait_s)
    return None


def _writer(client: LlmClient | None) -> Writer | None:
    """Who words the policy answers; None: they are quoted from the pages."""
    if client is None:
        return None
    if client.provider == "anthropic":
        from actions.knowledge.answers.anthropic_writer import AnthropicWriter

        return AnthropicWriter(client)
    from actions.knowledge.answers.openai_writer import OpenAIWriter

    return OpenAIWriter(client)
