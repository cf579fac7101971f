"""The customer shared a contact card.

WhatsApp marks the card that answers our own request for the sender's number, and the channel then gives this
message that phone. Any other card is somebody's number, and opens nobody's orders.
"""

from itertools import islice

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import ActionCheckOrderStatus, OrderAction
from actions.orders.lookup import Orders
from actions.skill.action import BaseAction, Domain, Event, as_if_said, last_response, message_metadata, turns_backwards
from actions.skill.registry import by_name


class ActionReceiveContact(BaseAction):
    """Answer the question that waited for the phone number, or say that this card opens nothing."""

    def __init__(self, orders: Orders | None = None) -> None:
        self._orders = orders

    def name(self) -> str:
        return "action_receive_contact"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if last_response(tracker) == "utter_order_status_share_contact" and message_metadata(tracker).get("phone"):
            action, asked = self._waiting(tracker)
            return await action.answer(dispatcher, asked, domain)
        dispatcher.utter_message(response="utter_contact_received")
        return []

    def _waiting(self, tracker: Tracker) -> tuple[OrderAction, Tracker]:
        """The order action of the turn before, and the tracker with its question in front."""
        before = next(islice(turns_backwards(tracker), 1, None), [])
        done = [by_name().get(str(event.get("name"))) for event in before if event.get("event") == "action"]
        asking = [kind for kind in done if kind and issubclass(kind, OrderAction)]
        action = (asking[0] if asking else ActionCheckOrderStatus)(self._orders)
        question = before[0].get("parse_data") if before else None
        return action, as_if_said(tracker, question or {"text": "", "intent": {}, "entities": []})
