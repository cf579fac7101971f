"""Two questions in one message ("where is 10234, and can I return a lamp?"): each is answered, in their order."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import ActionCheckOrderStatus
from actions.return_policy import ActionAnswerReturnPolicy
from actions.speaking import Domain, Event, SpeakingAction, as_if_said

POLICY = "ask_return_policy"


class ActionAnswerTwoQuestions(SpeakingAction):
    """The parse data's `wishes` say which questions: intent and words of each."""

    def __init__(self, order: SpeakingAction | None = None, policy: SpeakingAction | None = None) -> None:
        self._order, self._policy = order, policy

    def name(self) -> str:
        return "action_answer_two_questions"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        message = tracker.latest_message or {}
        events: list[Event] = []
        for wish in message.get("wishes") or []:
            about_policy = wish["intent"] == POLICY
            action = (self._policy or ActionAnswerReturnPolicy()) if about_policy else (
                self._order or ActionCheckOrderStatus()
            )  # fmt: skip
            said = {
                "text": wish["text"],
                "intent": {"name": wish["intent"], "confidence": 1.0},
                "entities": [] if about_policy else message.get("entities") or [],
            }
            events += await action.answer(dispatcher, as_if_said(tracker, said), domain)
        return events
