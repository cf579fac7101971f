"""The base of every action that answers a customer: whatever goes wrong, the customer hears something.

An action that raises leaves the customer in silence, and the SDK answers Rasa with a 500 whose body holds the
exception's text and the whole tracker.
"""

import abc
import copy
import logging
import time
import traceback
from collections.abc import Iterator
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

import tracing
from actions.orders.numbers import named
from actions.skill.texts import for_customer
from privacy import log_lines

log = logging.getLogger(__name__)

Event = dict[str, Any]
Domain = dict[str, Any]


class NamingDispatcher(CollectingDispatcher):
    """Gives every response that is about an order the placeholder {order}: its number as customers are told it.

    '0[' in what fills one (a page's "₹50[1]") is broken up: Rasa returns a response that contains it unfilled.
    """

    def __init__(self, dispatcher: CollectingDispatcher) -> None:
        super().__init__()
        self.messages = dispatcher.messages

    def utter_message(self, *arguments: Any, **facts: Any) -> None:
        number = facts.get("order_number") or facts.get("number")
        if number and "order" not in facts:
            facts["order"] = named(str(number))
        filling = {name: fact.replace("0[", "0 [") if isinstance(fact, str) else fact for name, fact in facts.items()}
        super().utter_message(*arguments, **filling)


class BaseAction(abc.ABC, Action):
    """An action that apologises (`utter_fallback_apology`) instead of raising.

    Subclasses define `name()` and `answer()`, which has the signature of Rasa's `run`. A subclass without
    `answer()` stays abstract, so the SDK does not register it.
    """

    only_tells: ClassVar[bool] = False
    """It tells an answer and does nothing else: so also beside another question, and behind the yes to an offer."""

    @abc.abstractmethod
    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Say something through `dispatcher` and return the events for the tracker."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Rasa's entry point."""
        with (
            log_lines.about(message_metadata(tracker).get("wamid")),
            tracing.span("action", tracing.received.get(), action=self.name()),
        ):
            return await self._safely(dispatcher, tracker, domain)

    async def _safely(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        began = time.perf_counter()
        try:
            events = await self.answer(NamingDispatcher(dispatcher), tracker, for_customer(domain, tracker.slots))
            log.info("action.finished action=%s ms=%d", self.name(), (time.perf_counter() - began) * 1000)
            return events
        except ActionExecutionRejection:
            raise
        except Exception as error:
            log.error("action.failed action=%s error=%s at=%s", self.name(), type(error).__name__, _place(error))
            dispatcher.utter_message(response="utter_fallback_apology")
            return []


def _place(error: BaseException) -> str:
    """The last frames as `file:line < file:line`. Not the message: it may hold what the customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))


def message_metadata(tracker: Tracker) -> dict[str, Any]:
    """What the channel knows of the latest message (wamid, phone, ...); empty for events that have none."""
    return (tracker.latest_message or {}).get("metadata") or {}


def message_text(tracker: Tracker) -> str:
    """What the customer wrote last, or ''."""
    return str((tracker.latest_message or {}).get("text") or "")


def intent_name(tracker: Tracker) -> str:
    """The latest message's intent, or ''."""
    return ((tracker.latest_message or {}).get("intent") or {}).get("name") or ""


def follows(tracker: Tracker) -> str:
    """What the latest message follows, one of `components.conversation.context`; '' where nothing read it."""
    return str((tracker.latest_message or {}).get("after") or "")


def in_form(tracker: Tracker) -> bool:
    """Whether a form waits for an answer; it asks its question again after whatever comes in between."""
    return bool((tracker.active_loop or {}).get("name"))


def as_if_said(tracker: Tracker, message: dict[str, Any]) -> Tracker:
    """The tracker as it would be if the latest message were `message` (parse data: text, intent, entities).

    Whose message it is stays what the signed webhook says of the real one; only the words behind a button come along.
    """
    typed = (message.get("metadata") or {}).get("typed")
    other = copy.copy(tracker)
    other.latest_message = {**message, "metadata": {**message_metadata(tracker), "typed": typed}}
    return other


def turns_backwards(tracker: Tracker) -> Iterator[list[Event]]:
    """The turns of this session, newest first, each the events from the customer's message on, in order.

    A message that was taken back, to be said again with its meaning, is not a turn.
    """
    turn: list[Event] = []
    for event in reversed(tracker.events):
        if event.get("event") == "action" and event.get("name") == "action_session_start":
            return
        turn.append(event)
        if event.get("event") == "user":
            if not any(one.get("event") == "rewind" for one in turn):
                yield turn[::-1]
            turn = []


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
