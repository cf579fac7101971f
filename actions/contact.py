"""The customer shared a contact card.

WhatsApp marks the card that answers our own request for the sender's number, and the channel then gives this
message that phone. Any other card is somebody's number, and opens nobody's orders.
"""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.fallback import last_response
from actions.speaking import Domain, Event, SpeakingAction, message_metadata


class ActionReceiveContact(SpeakingAction):
    """Go on with the look-up when the number we asked for came, else say that it opens nothing."""

    def name(self) -> str:
        return "action_receive_contact"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        if last_response(tracker) == "utter_order_status_share_contact" and message_metadata(tracker).get("phone"):
            return [FollowupAction("action_check_order_status")]
        dispatcher.utter_message(response="utter_contact_received")
        return []
