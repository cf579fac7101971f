"""Each capability of the action server, built once and only when the first action asks for it.

Pattern: a cached function without arguments, which imports its capability inside (so that one broken or slow
import cannot keep the other skills from starting) and reads `settings.load()`. Actions take the capability as
an optional constructor argument and fall back to this; tests pass a fake instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import settings

if TYPE_CHECKING:
    from actions.knowledge.answering import PolicyAnswers
    from actions.knowledge.writing import Writer
    from actions.orders.lookup import Orders

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def orders() -> Orders:
    """Look-ups in the shop's orders database."""
    from actions.orders.lookup import Orders
    from actions.orders.repository import OrderRepository

    configured = settings.load()
    return Orders(
        OrderRepository(configured.values["ORDERS_DATABASE_URL"] or "", region=configured.default_region or "IN")
    )


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
    from actions.knowledge.answering import PolicyAnswers
    from actions.knowledge.retrieval import default_retriever
    from privacy.redaction import redact

    configured = settings.load()
    budget_s = configured.number("LLM_TIMEOUT_S")
    return PolicyAnswers(default_retriever(), _writer(configured, budget_s), redact, budget_s)


def _indexed_knowledge() -> None:
    knowledge().prepare()


def _writer(configured: settings.Settings, budget_s: float) -> Writer | None:
    """The configured LLM; None, said once in the log, when it has no key: answers are then quoted from the pages."""
    provider, model = configured.llm_provider, configured.llm_model or ""
    if provider == "anthropic" and configured.anthropic_api_key:
        from actions.knowledge.anthropic_writer import AnthropicWriter

        return AnthropicWriter(configured.anthropic_api_key, model, configured.anthropic_base_url, budget_s)
    if provider == "openai" and configured.openai_api_key:
        from actions.knowledge.openai_writer import OpenAIWriter

        return OpenAIWriter(configured.openai_api_key, model, configured.openai_base_url, budget_s)
    log.info("knowledge.writer.none provider=%s", provider)
    return None
