"""What a person is told first is true, the customer's own, and never costs the customer a wait or the person."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.escalation import ActionEscalate
from actions.knowledge.answers.answering import PolicyAnswers
from actions.knowledge.answers.anthropic_writer import AnthropicWriter
from actions.knowledge.retrieval.retriever import Retriever
from actions.llm.anthropic_api import anthropic_client
from actions.orders.models import Order
from actions.orders.repository import OrdersUnavailable
from actions.skill.handing_over import prepare, worded
from handoff.takeover.brief import Brief
from handoff.takeover.state_machine import Opened, Request
from privacy.redaction import redact
from shop import OrderStatus

QUESTION = "how many days do I have to return clothing?"
TRUTH = "You have 30 days from delivery to return clothing."
SOURCE = "return_window#How many days there are"
ORDER = Order("10234", OrderStatus.SHIPPED, dt.date(2026, 11, 24), "Delhivery", "DL1", "https://track.example/DL1")


class Orders:
    """The orders of one phone; `away` raises, `slow` never answers."""

    def __init__(self, away: bool = False, slow: bool = False) -> None:
        self.away, self.slow = away, slow

    async def _look(self, phone: str) -> list[Order]:
        if self.away:
            raise OrdersUnavailable
        if self.slow:
            await asyncio.sleep(60)
        return [ORDER] if phone == "+919876543210" else []

    async def find(self, numbers: Iterable[str], phone: str) -> dict[str, Order]:
        return {order.number: order for order in await self._look(phone) if order.number in set(numbers)}

    async def open_orders(self, phone: str) -> list[Order]:
        return await self._look(phone)


def tracker(*texts: str, media: Any = None) -> Tracker:
    events = [
        {"event": "user", "text": text, "metadata": {"typed": text, "media": media or []}, "timestamp": 1.0}
        for text in texts
    ]
    metadata = {"wamid": "wamid.1", "customer": "919876543210", "phone": "+919876543210", "typed": texts[-1]}
    latest = {"text": texts[-1], "metadata": metadata, "intent": {"name": "request_human"}}
    return Tracker("919876543210", {"language": "pt"}, latest, events, False, None, {}, "action_listen")


def asking(reason: str = "human_requested", number: str | None = "10234", phone: str = "+919876543210") -> Request:
    return Request("919876543210", "wamid.1", reason, "HIGH", 1.0, phone=phone, order_number=number)


def answers(retriever: Retriever, url: str = "") -> PolicyAnswers:
    writer = AnthropicWriter(anthropic_client("key", "claude-haiku-5-5", url, 5.0)) if url else None
    knowledge = PolicyAnswers(retriever, writer, redact, 5.0)
    knowledge.prepare()
    return knowledge


async def brief_of(of: Tracker, request: Request, orders: Any = None, knowledge: PolicyAnswers | None = None) -> Brief:
    return (await prepare(of, request, orders or Orders(), knowledge)).brief


async def test_the_order_its_status_and_the_language_are_told() -> None:
    brief = await brief_of(tracker("a human please"), asking())
    assert (brief.language, brief.order_status) == ("Portuguese", "shipped")
    assert brief.order == (
        "Status: shipped", "due Tue 24 Nov 2026", "with Delhivery, tracking DL1, https://track.example/DL1",
    )  # fmt: skip


async def test_another_customers_order_is_not_told_and_without_a_number_the_open_ones_are() -> None:
    theirs = await brief_of(tracker("a human please"), asking(phone="+351912345678"))
    assert (theirs.order_status, theirs.order) == ("not an order of this phone", ())
    assert (await brief_of(tracker("a human please"), asking(number=None))).order == ("#10234: shipped",)


@pytest.mark.parametrize("orders", [Orders(away=True), Orders(slow=True)], ids=["away", "slow"])
async def test_an_orders_database_that_does_not_answer_costs_a_moment_and_nothing_else(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actions.skill.handing_over.WAIT_S", 0.05)
    brief = await brief_of(tracker("a human please"), asking(), orders)
    assert (brief.order, brief.language) == ((), "Portuguese")


@pytest.mark.slow
async def test_the_draft_answers_the_latest_question_that_the_pages_answer(retriever: Retriever) -> None:
    said = tracker(QUESTION, "do you sell bicycles?", "a human please")
    brief = await brief_of(said, asking(), None, answers(retriever))
    assert brief.reply.startswith(TRUTH)
    assert brief.sources == (SOURCE,)


async def test_taps_and_thanks_are_no_questions(retriever: Retriever) -> None:
    said = tracker(QUESTION, "thanks a lot", "a human please")
    said.events[0] |= {"text": "/rate_good", "metadata": {"typed": QUESTION}}
    said.events[1]["parse_data"] = {"intent": {"name": "thank"}}
    assert (await brief_of(said, asking(), None, answers(retriever))).reply == ""


async def test_what_the_pages_do_not_answer_has_no_draft(retriever: Retriever) -> None:
    brief = await brief_of(tracker("do you sell bicycles?", "a human please"), asking(), None, answers(retriever))
    assert (brief.reply, brief.sources) == ("", ())


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hallucinated_number", "hallucinated_claim", "wrong_citation", "hang"])
async def test_whatever_an_llm_writes_only_verified_sentences_become_a_draft(
    retriever: Retriever, llm: SimpleNamespace, fault: str
) -> None:
    llm.api.fault = fault
    knowledge = PolicyAnswers(retriever, answers(retriever, llm.url)._writer, redact, 1.0)
    reply, sources = await worded(knowledge, QUESTION)
    assert reply.startswith(TRUTH)
    assert "365" not in reply
    assert sources == (SOURCE,)
    await knowledge.close()


async def test_the_customer_is_told_before_the_llm_has_worded_the_draft(
    retriever: Retriever, llm: SimpleNamespace
) -> None:
    class Service:
        completed: tuple[Any, ...] = ()

        async def call(self, request: Request, brief: Brief, wait_s: float) -> Opened:
            assert brief.reply.startswith(TRUTH)
            assert wait_s > 0
            return Opened(7, "T-1001", "opened")

        async def complete(self, *arguments: Any) -> None:
            self.completed = arguments

        def closed_until(self) -> None:
            return None

    service: Any = Service()
    orders: Any = Orders()
    knowledge = answers(retriever, llm.url)
    action, dispatcher = ActionEscalate(service, orders, knowledge), CollectingDispatcher()
    await action.run(dispatcher, tracker(QUESTION, "a human please"), {"responses": {}})
    assert [message["response"] for message in dispatcher.messages] == ["utter_handoff_connecting"]
    assert service.completed == ()
    await asyncio.wait_for(asyncio.gather(*action._wording), 5)
    assert service.completed == (7, f"{TRUTH} Furniture has 14 days.", (SOURCE,))
    await knowledge.close()


async def test_files_of_the_conversation_are_noted_for_the_ticket() -> None:
    part = {"id": "77", "kind": "image", "filename": "torn.jpg"}
    assert (await brief_of(tracker("look", media=[part]), asking())).files == (("77", "image", "torn.jpg"),)
