"""What Hinglish customers read: whole answers in one language, with every fact of the English ones."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import ActionCheckOrderStatus, ActionDeliveryDate, OrderAction
from actions.orders.models import Order, OrderStatus
from components.language.detection import ENGLISH, HINGLISH, detect_language, hindi_score
from components.text.message_text import readable, words

DOMAIN: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[2] / "domain.yml").read_text())
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

    recent_orders = open_orders


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
async def test_an_answer_is_in_one_language(action: type[OrderAction], status: OrderStatus | None) -> None:
    order = Order("10234", status, DUE, **FACTS)
    hinglish, english = [await said(action, language, order, number="10234") for language in (HINGLISH, ENGLISH)]
    assert not ENGLISH_ONLY & set(hinglish.lower().replace(".", " ").replace(",", " ").split()), hinglish
    assert detect_language(hinglish) == HINGLISH
    assert detect_language(english) == ENGLISH
    for fact in ("#10234", "24 Nov", *FACTS.values()):
        assert (fact in hinglish) is (fact in english), fact


async def test_a_list_is_in_one_language() -> None:
    orders = [Order(str(10300 + n), status, DUE) for n, status in enumerate(OrderStatus)]
    shown = await said(ActionCheckOrderStatus, HINGLISH, *[order for order in orders if order.open])
    assert not ENGLISH_ONLY & set(shown.lower().replace(",", " ").split()), shown


def variations() -> list[tuple[str, str, str]]:
    """(response, language, text) of everything that is said whole."""
    return [
        (name, language, entry.get("text") or entry["custom"]["body"])
        for name, entries in DOMAIN["responses"].items() if "_piece_" not in name for entry in entries
        if (language := entry["condition"][0]["value"] if entry.get("condition") else ENGLISH) in (ENGLISH, HINGLISH)
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "language", "text"), variations())
def test_a_variation_reads_as_the_language_that_it_is_for(name: str, language: str, text: str) -> None:
    spoken = words(readable(re.sub(r"{\w+}", "", text)))
    assert (hindi_score(spoken) >= 1) is (language == HINGLISH), f"domain.yml, {name}: {text}"
