"""Two questions in one message ("where is 10234, and can I return a lamp?"): each is answered, in their order."""

from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.skill.action import BaseAction, Domain, Event, as_if_said
from actions.skill.registry import answering

TWO_QUESTIONS, WISHES = "two_questions", "wishes"


class ActionAnswerTwoQuestions(BaseAction):
    """The parse data's `wishes` say which: intent and words of each, and its entities where not the message's."""

    def __init__(self, answers: Mapping[str, BaseAction] | None = None) -> None:
        self._answers = answers

    def name(self) -> str:
        return "action_answer_two_questions"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        message = tracker.latest_message or {}
        events: list[Event] = []
        for wish in message.get(WISHES) or []:
            intent = wish["intent"]
            action = (self._answers or {}).get(intent) or _answering(intent)
            said = {
                "text": wish["text"],
                "intent": {"name": intent, "confidence": 1.0},
                "entities": wish.get("entities") or message.get("entities") or [],
            }
            events += await action.answer(dispatcher, as_if_said(tracker, said), domain)
        return events


def _answering(intent: str) -> BaseAction:
    """The action that answers this intent. LookupError where none does: `make validate` names such a `topic`."""
    kind = answering(intent)
    if kind is None:
        raise LookupError(intent)
    return kind()
