"""When the assistant did not understand: ask again with what it can do, the second time differently.

Where an LLM is configured, it is asked first what an uncertain message means. What it settles is taken back and said
once more with that meaning, so that rules, forms and the escalation policy see it as if it had been understood at
once. The third unresolved turn in a row is the escalation policy's: a person takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import services
from actions.llm.facts import facts
from actions.llm.settling import Settled, Settler
from actions.order_answers import misshaped_in_message
from actions.speaking import Domain, Event, SpeakingAction, intent_name

CLARIFICATIONS = "utter_clarification_"
NOT_SURE = "nlu_fallback"
# Enough for the escalation policy to hear "a person, please", less than the assistant's own best.
CONFIDENCE = 0.9


class ActionClarify(SpeakingAction):
    """Say what the assistant can do, in other words each time, unless the meaning can be settled."""

    def __init__(self, settler: Settler | None = None) -> None:
        self._settler = settler

    def name(self) -> str:
        return "action_clarify"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        misshaped = misshaped_in_message(tracker)
        if misshaped:
            example = services.order_number_example()
            dispatcher.utter_message(response="utter_order_status_misshaped", number=misshaped, example=example)
            return []
        settled = await self._settled(tracker)
        if settled is not None and settled.intent:
            return said_again(tracker, settled)
        again = last_response(tracker).startswith(CLARIFICATIONS)
        if intent_name(tracker) == "out_of_scope":
            outcome = "out_of_scope_again" if again else "out_of_scope"
        else:
            outcome = "second" if again else "first"
        account = {} if settled is None else {"llm": facts(settled)}
        dispatcher.utter_message(response=CLARIFICATIONS + outcome, **account)
        return []

    async def _settled(self, tracker: Tracker) -> Settled | None:
        """What the LLM makes of typed words that the assistant is not sure of; None where it is not asked."""
        text = (tracker.latest_message or {}).get("text") or ""
        if intent_name(tracker) != NOT_SURE or not text.strip() or text.startswith("/"):
            return None
        settler = self._settler or await asyncio.to_thread(services.settler)
        return await settler.settle(text) if settler else None


def said_again(tracker: Tracker, settled: Settled) -> list[Event]:
    """Events that take the latest message back and bring it again, the same but for its intent."""
    message = next(event for event in reversed(tracker.events) if event.get("event") == "user")
    intent = {"name": settled.intent, "confidence": CONFIDENCE}
    parsed = {**(message.get("parse_data") or {}), "intent": intent}
    metadata = {**(message.get("metadata") or {}), "llm": facts(settled)}
    return [
        {"event": "rewind", "timestamp": None},
        {"event": "action", "name": "action_listen", "timestamp": None},
        {**message, "timestamp": None, "parse_data": parsed, "metadata": metadata},
    ]


def last_response(tracker: Tracker) -> str:
    """Name of the response that the assistant said last, or ''."""
    return next((event["metadata"].get("utter_action") or "" for event in bot_events(tracker)), "")


def bot_events(tracker: Tracker) -> Iterator[dict[str, Any]]:
    """What the assistant said in this session, newest first, with `metadata` always a dictionary."""
    for event in reversed(tracker.events):
        if event.get("event") == "action" and event.get("name") == "action_session_start":
            return
        if event.get("event") == "bot":
            yield {**event, "metadata": event.get("metadata") or {}}
