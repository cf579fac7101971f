"""The customer submitted a WhatsApp Flow, the shop's own form."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import OrderAction
from actions.orders.numbers import normal_number
from actions.skill.action import Domain, Event, as_if_said, message_metadata
from actions.skill.order_answers import OrderTurn

MAX_VALUES = 20


class ActionReceiveFlow(OrderAction):
    """Tell the status of the orders that the form names; else thank for it.

    Which of the form's fields hold an order number is not configured: those that do are orders of this customer.
    """

    only_tells = False
    tells_status = True

    def name(self) -> str:
        return "action_receive_flow"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        """As OrderAction, but whoever filled in no number is not asked for their phone."""
        numbers = numbers_in_flow(tracker)
        if not numbers or not message_metadata(tracker).get("phone"):
            dispatcher.utter_message(response="utter_flow_thanks")
            return []
        named = {"text": "", "intent": {}, "entities": [{"entity": "order_number", "value": numbers}]}
        return await super().answer(dispatcher, as_if_said(tracker, named), domain)

    async def look_up(self, turn: OrderTurn) -> list[Event]:
        found = await self.orders.find(turn.numbers, turn.phone)
        if not found:
            turn.say.utter_message(response="utter_flow_thanks")
            return []
        return turn.tell([found[number] for number in turn.numbers if number in found])


def numbers_in_flow(tracker: Tracker) -> list[str]:
    """The short values with digits in them, as order numbers are written."""
    answers = (message_metadata(tracker).get("flow") or {}).get("answers") or {}
    values = [str(value) for value in answers.values() if any(character.isdigit() for character in str(value))]
    return list(dict.fromkeys(number for value in values[:MAX_VALUES] if (number := normal_number(value))))
