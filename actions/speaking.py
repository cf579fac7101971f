"""The base of every action that answers a customer: whatever goes wrong, the customer hears something.

An action that raises leaves the customer in silence, and the SDK answers Rasa with a 500 whose body holds the
exception's text and the whole tracker.
"""

from __future__ import annotations

import abc
import logging
import traceback
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

log = logging.getLogger(__name__)

Event = dict[str, Any]
Domain = dict[str, Any]


class SpeakingAction(abc.ABC, Action):
    """An action that apologises (`utter_fallback_apology`) instead of raising.

    Subclasses define `name()` and `answer()`, which has the signature of Rasa's `run`. A subclass without
    `answer()` stays abstract, so the SDK does not register it.
    """

    @abc.abstractmethod
    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Say something through `dispatcher` and return the events for the tracker."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """Rasa's entry point."""
        try:
            return await self.answer(dispatcher, tracker, domain)
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


def intent_name(tracker: Tracker) -> str:
    """The latest message's intent, or ''."""
    return ((tracker.latest_message or {}).get("intent") or {}).get("name") or ""
