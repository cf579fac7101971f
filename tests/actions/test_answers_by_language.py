"""What customers of each language read: whole answers in one language, with every fact of the English ones."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.order_details import ActionDeliveryDate
from actions.order_status import ActionCheckOrderStatus, OrderAction
from actions.orders.models import Order, OrderStatus
from components.language.answered import ENGLISH, HINDI, HINGLISH, PORTUGUESE, SPANISH
from components.language.detection import detect_language

DOMAIN: dict[str, Any] = yaml_files.read(Path(__file__).resolve().parents[2] / "domain.yml")
TODAY, DUE = date(2026, 11, 23), date(2026, 11, 24)
FACTS = {"carrier": "Delhivery", "tracking_number": "DL1", "tracking_url": "https://track.example/DL1"}
ENGLISH_ONLY = {"the", "your", "it", "its", "has", "been", "should", "tomorrow", "due", "coming", "with"}


class Shop:
    """Whoever asks has these orders."""

    def __init__(self, *orders: Order) -> None:
        self._orders = list(orders)

    async def find(self, numbers: list[str], phone: str) -> dict[str, Order]:
        return {order.number: order for order in self._orders if order.number in numbers}

    async def open_orders(self, phone: str) -> list[Order]:
        return self._orders

    refund_related_orders = open_orders


async def said(action: type[OrderAction], language: str, *orders: Order, number: str | None = None) -> str:
    """What the customer reads, put together by the action and filled by Rasa."""
    slots = {"language": language}
    entities = [{"entity": "order_number", "value": number}] if number else []
    latest = {"text": "…", "intent": {}, "entities": entities, "metadata": {"phone": "+919876543210"}}
    dispatcher = CollectingDispatcher()
    tracker = Tracker("c", slots, latest, [], False, None, {}, "action_listen")
    await action(Shop(*orders), lambda: TODAY).run(dispatcher, tracker, DOMAIN)
    rasa = TemplatedNaturalLanguageGenerator(DOMAIN["responses"])
    texts = []
    for message in dispatcher.messages:
        filled = rasa.generate_from_slots(message.pop("response"), slots, "whatsapp", **message)
        assert filled is not None
        texts.append(filled["text"])
        texts += [row["description"] for row in message["custom"].get("rows", [])]
    return "\n".join(texts)


@pytest.mark.parametrize("status", [*OrderStatus, None])
@pytest.mark.parametrize("action", [ActionCheckOrderStatus, ActionDeliveryDate])
@pytest.mark.parametrize("language", [HINGLISH, HINDI, PORTUGUESE, SPANISH])
async def test_an_answer_is_in_one_language(
    language: str, action: type[OrderAction], status: OrderStatus | None
) -> None:
    order = Order("10234", status, DUE, **FACTS)
    other, english = [await said(action, one, order, number="10234") for one in (language, ENGLISH)]
    assert not ENGLISH_ONLY & set(other.lower().replace(".", " ").replace(",", " ").split()), other
    assert detect_language(other) == language
    assert detect_language(english) == ENGLISH
    for fact in ("#10234", "24", *FACTS.values()):
        assert (fact in other) is (fact in english), fact


@pytest.mark.parametrize(("language", "due"), [
    (ENGLISH, "It should reach you tomorrow, Tue 24 Nov."),
    (HINGLISH, "Ye aap tak kal, Tue 24 Nov ko pahunchna chahiye."),
    (HINDI, "यह आप तक कल, मंगलवार 24 नवंबर को पहुँचना चाहिए।"),
    (PORTUGUESE, "Deve chegar amanhã, terça-feira 24 de novembro."),
    (SPANISH, "Debería llegarte mañana, martes 24 de noviembre."),
    ("de", "It should reach you tomorrow, Dienstag 24. November."),
])
async def test_a_day_is_written_as_the_language_writes_it(language: str, due: str) -> None:
    assert due in await said(ActionCheckOrderStatus, language, Order("10234", OrderStatus.SHIPPED, DUE), number="10234")


async def test_a_list_is_in_one_language() -> None:
    orders = [Order(str(10300 + n), status, DUE) for n, status in enumerate(OrderStatus)]
    shown = await said(ActionCheckOrderStatus, HINGLISH, *[order for order in orders if order.open])
    assert not ENGLISH_ONLY & set(shown.lower().replace(",", " ").split()), shown


def variations() -> list[tuple[str, str, str]]:
    """(response, language, text) of everything that is said whole: no pieces, nor what only repeats the customer."""
    return [
        (name, entry["condition"][0]["value"] if entry.get("condition") else ENGLISH, text)
        for name, entries in DOMAIN["responses"].items() if "_piece_" not in name
        for entry in entries if "{heard}" not in (text := entry.get("text") or entry["custom"]["body"])
    ]  # fmt: skip


def test_variations_read_as_the_language_that_they_are_for() -> None:
    otherwise = [
        (name, read, text)
        for name, language, text in variations()
        if (read := detect_language(re.sub(r"{\w+}|“|”", "", text))) != language
    ]
    assert otherwise == []
