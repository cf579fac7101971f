"""Messages that nobody asked for: what the shop reports of an order, told in the customer's own conversation.

In their inbox it stands in one order with what they write, so that "stop" holds from the next one on. Within 24 hours
of their last message it is told in the shop's words, later by the template that the shop had approved, else not at all.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis.asyncio

from connectors.conversations.ratings import is_window_open, last_heard
from connectors.conversations.speaker import Speaker
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Reply, Turn
from connectors.whatsapp.rendering import bodies
from handoff.updates.opt_outs import OptOuts, Wish
from lenient_json import as_mapping, text

log = logging.getLogger(__name__)

UPDATE = "utter_order_status_updates"  # the words are the shop's; as a response it counts as one of its topic
ANSWERS = {"stop": "utter_order_status_updates_stopped", "start": "utter_order_status_updates_started"}


class OrderUpdates:
    """Updates and the wish to have none. Methods raise HandoffUnavailable and redis.RedisError."""

    def __init__(self, client: redis.asyncio.Redis, speaker: Speaker, opt_outs: OptOuts) -> None:
        self._client, self._speaker, self._opt_outs = client, speaker, opt_outs

    async def tell(self, turn: Turn) -> None:
        """Add the message to the turn, as the window and the customer's wish allow; else the turn is without words.

        It is said in the language in which the customer was answered last, where the shop has it in that one.
        """
        payload, customer = turn.entry.payload, turn.entry.customer
        phone = payload.get("phone")
        turn.metadata = {"wamid": turn.entry.id, "customer": customer, "phone": phone, "kind": turn.entry.kind}
        spoken = text((await last_heard(self._client, customer)).get("language"))
        said = as_mapping(as_mapping(payload.get("in_languages")).get(spoken)) or payload
        template = _template(said["template"]) if said.get("template") else []
        words, order = text(said.get("text")), text(payload.get("order_number"), 80)
        turn.outcome = "notified"
        if await self._opt_outs.has_stopped([customer, phone]):
            turn.outcome = "not_notified_stopped"
        elif await is_window_open(self._client, customer):
            _add(turn, bodies.texts(words), words, order, otherwise=template)
        elif template:
            _add(turn, template, words, order)
        else:
            turn.outcome = "not_notified_window"
        log.info("consumer.update.decided outcome=%s", turn.outcome)

    def wish(self, entry: Entry) -> Wish | None:
        """Whether a customer's message says to tell them no more, or again, and nothing else."""
        words = text(as_mapping(entry.payload.get("metadata")).get("typed")) or text(entry.payload.get("text"))
        return self._opt_outs.wish(words) if entry.kind == "message" else None

    async def take_wish(self, turn: Turn) -> bool:
        """Keep a wish to be told no more, or again; whether the message says nothing else."""
        said = [self.wish(entry) for entry in turn.entries]
        wish = next((one for one in reversed(said) if one), None)
        if wish is None:
            return False
        ids = (turn.metadata.get(name) for name in ("phone", "wa_id", "user_id"))
        await self._opt_outs.keep(wish, [turn.entry.customer, *ids])
        log.info("consumer.update.wish wish=%s", wish)
        if all(said):
            turn.outcome = f"updates_{wish}"
            turn.metadata["updates_wish"] = wish
        return all(said)

    async def confirm(self, turn: Turn) -> None:
        """Say that the wish was heard."""
        await self._speaker.say(turn, ANSWERS[turn.metadata["updates_wish"]])


def _add(
    turn: Turn, messages: list[bodies.Shaped], words: str, order: str, otherwise: Sequence[bodies.Shaped] = ()
) -> None:
    about = {"utter_action": UPDATE, "order_number": order}
    # What we know of the window may be wrong: Meta decides.
    later = otherwise[0].body if otherwise else None
    turn.replies.extend(Reply(shaped.body, words, about, later) for shaped in messages)
    turn.events.append({"event": "bot", "text": words, "metadata": about, "timestamp": time.time()})


def _template(template: Mapping[str, Any]) -> list[bodies.Shaped]:
    parameters = [{"type": "text", "text": text(value, 300) or "–"} for value in template.get("parameters") or []]
    return bodies.template(template["name"], template["language"], [{"type": "body", "parameters": parameters}])
