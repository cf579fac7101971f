"""Back to the order look-up after a question in between."""

from itertools import islice

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import skills
from actions.skill.action import BaseAction, Domain, Event, turns_backwards
from skills import NUMBER, ORDER, ORDERS, REFUND

RESUME = "utter_order_status_resume"


class ActionResumeOrderLookUp(BaseAction):
    """Ask for the number again, but only when it was asked for right before the question in between.

    After anything else the customer has moved on, and would wonder which order is meant.
    """

    def name(self) -> str:
        return "action_resume_order_look_up"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if _previous_turn_spoke_of_orders(tracker):
            dispatcher.utter_message(response=RESUME)
        # awaiting_order_number stays as it is: changing it here would leave the rule that this action is part of.
        return []


def _previous_turn_spoke_of_orders(tracker: Tracker) -> bool:
    before = next(islice(turns_backwards(tracker), 1, None), [])
    said = [event.get("metadata") or {} for event in before if event.get("event") == "bot"]
    last = str(said[-1].get("utter_action") or "") if said else ""
    # One reminder is kind, one after every further question is not.
    return skills.load().counting(last).about in (ORDER, ORDERS, NUMBER, REFUND) and last != RESUME
