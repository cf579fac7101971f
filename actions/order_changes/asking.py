"""How order_change_form asks for a detail: once more behind an answer to something else, then it waits in silence.

Who asks on wants answers, and an answer to the form still counts; who answered with something else is asked in other
words, which say how to leave.
"""

import abc

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_changes.details import NEW_ADDRESS, REASON, TARGET, WISH
from actions.order_changes.items import HOW_MANY, NUMBER, OFFERED, choice, how_many_of, listed
from actions.self_service.answers import ALL
from actions.skill.action import BaseAction, Domain, Event, last_response
from actions.skill.order_answers import MAX_ROWS, asked_again_already
from actions.skill.texts import Pieces

AGAIN = "_again"
MAX_ROW_TITLE_CHARS = 24


def wording(tracker: Tracker, question: str) -> str | None:
    """The response that asks `question` now; None where it has been asked once more already."""
    if asked_again_already(tracker, question):
        return None
    return question + AGAIN if last_response(tracker) == question else question


class _AskDetail(BaseAction):
    """Asks for one detail by the response of its name."""

    @property
    @abc.abstractmethod
    def slot(self) -> str:
        """The slot that the detail is kept in."""

    def name(self) -> str:
        return f"action_ask_{self.slot}"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if response := wording(tracker, f"utter_ask_{self.slot}"):
            dispatcher.utter_message(response=response)
        return []


class ActionAskChangeTarget(_AskDetail):
    """What should change?"""

    slot = TARGET


class ActionAskChangeAddress(_AskDetail):
    """What is the new address?"""

    slot = NEW_ADDRESS


class ActionAskChangeReason(_AskDetail):
    """Why does it go back?"""

    slot = REASON


class ActionAskChangeWish(_AskDetail):
    """Money back, or an exchange?"""

    slot = WISH


class ActionAskChangeItems(BaseAction):
    """Which items go back? A list to pick one from, or all; several can be written. Then, of one, how many."""

    def name(self) -> str:
        return "action_ask_change_items"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        pieces = Pieces(domain, "self_service")
        items = listed(tracker.get_slot(OFFERED))
        number = tracker.get_slot(NUMBER)
        if asked := how_many_of(items):
            counts = range(1, asked.quantity + 1) if asked.quantity <= MAX_ROWS else ()
            rows = [{"title": str(n), "description": "", "payload": choice(f"{HOW_MANY}{asked.item_id}:{n}")}
                    for n in counts]  # fmt: skip
            custom = {"type": "list", "button": pieces.fill("list_button"), "rows": rows} if rows else None
            facts = {"number": number, "quantity": asked.quantity, "title": asked.title}
            if response := wording(tracker, "utter_self_service_how_many"):
                dispatcher.utter_message(response=response, json_message=custom, **facts)
            return []
        rows = [
            {"title": item.named, "description": _where_cut(item.named), "payload": choice(item.item_id)}
            for item in items[: MAX_ROWS - 1]
        ]
        rows.append({"title": pieces.fill("everything"), "description": "", "payload": choice(ALL)})
        custom = {"type": "list", "button": pieces.fill("list_button"), "rows": rows}
        if response := wording(tracker, "utter_self_service_items"):
            dispatcher.utter_message(response=response, json_message=custom, number=number)
        return []


def _where_cut(title: str) -> str:
    """WhatsApp cuts the title of a row; then its description says the whole."""
    return title if len(title) > MAX_ROW_TITLE_CHARS else ""
