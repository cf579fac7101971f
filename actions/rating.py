"""The customer tapped a face under the question how it was with a person."""

import asyncio
from functools import lru_cache

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import settings
from actions.skill.action import BaseAction, Domain, Event, intent_name, message_metadata
from handoff.storage.database import Database
from handoff.takeover.rating import Score, rate

SCORES: dict[str, Score] = {"rate_good": 3, "rate_fair": 2, "rate_poor": 1}


@lru_cache(maxsize=1)
def _database() -> Database:
    return Database(settings.load().values["CONVERSATION_DATABASE_URL"] or "")


class ActionTakeRating(BaseAction):
    """Keep the answer and say thank you."""

    def __init__(self, db: Database | None = None) -> None:
        self._db = db

    def name(self) -> str:
        return "action_take_rating"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        metadata = message_metadata(tracker)
        customer, wamid = str(metadata.get("customer") or tracker.sender_id), str(metadata.get("wamid") or "")
        reference = (metadata.get("quoted") or {}).get("reference")
        score = SCORES[intent_name(tracker)]
        first = await asyncio.to_thread(rate, self._db or _database(), customer, reference, score, wamid)
        dispatcher.utter_message(response="utter_handoff_rated" if first else "utter_handoff_rated_before")
        return []
