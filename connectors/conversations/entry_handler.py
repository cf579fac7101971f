"""What an inbox entry leads to: a turn of the dialogue, words for or from a person, the assistant's return.

While a person has the conversation, the assistant says nothing and its customers' messages go to the ticket.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from connectors.conversations import agent_replies
from connectors.conversations.message_limit import MessageLimit
from connectors.conversations.order_updates import UPDATE, OrderUpdates
from connectors.conversations.ratings import Ratings
from connectors.conversations.speaker import Speaker
from connectors.conversations.thread_control_mirror import MirroredThreadControl
from connectors.message_bus import keys, quoting
from connectors.message_bus.commit import WINDOW_S
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Reply, Turn
from connectors.whatsapp.rendering import bodies
from connectors.whatsapp.rendering.text import shorten
from handoff.takeover.customer_messages import Wish
from handoff.takeover.thread_control import Receipt
from privacy.redaction import redact

log = logging.getLogger(__name__)

APOLOGY_TIMEOUT_S = 5.0
APOLOGY = "utter_fallback_apology"
ENDED, HOW_WAS_IT = "utter_handoff_ended", "utter_handoff_ended_how_was_it"
ESCALATION, NOBODY_CALLED = "action_escalate", "utter_handoff_unavailable"
RETURNED_WITH = {
    "agent": "utter_handoff_handed_back",
    "customer": "utter_handoff_cancelled_by_customer",
    "settled": "utter_handoff_settled",
    "unreachable": NOBODY_CALLED,
}
HEARD, READ = "utter_voice_note_heard", "utter_media_read"
SAID_BACK_CHARS, SHOWN_BACK = 300, ("address", "email", "phone", "pin_code")
FILE_LINK, JOINED = "utter_handoff_file_link", "utter_handoff_agent_joined"
RECEIPT, RECEIPT_OUT_OF_HOURS = "utter_handoff_receipt", "utter_handoff_receipt_out_of_hours"


class EntryHandler:
    """The message bus's `Handler`: who speaks is asked first, the dialogue engine does the rest."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        speaker: Speaker,
        control: MirroredThreadControl,
        updates: OrderUpdates | None = None,
        ratings: Ratings | None = None,
        limit: MessageLimit | None = None,
    ) -> None:
        """`updates`: customers may write "stop" and "start"; `ratings`: they are asked how it was with a person."""
        self._client, self._speaker, self._control = client, speaker, control
        self._updates, self._ratings, self._limit = updates, ratings, limit

    async def handle(self, turn: Turn) -> None:
        """Fill the turn with what its entry leads to."""
        kind = turn.entry.kind
        if kind == "message":
            await self._message(turn)
            await self._say_back(turn)
        elif kind == "agent_comment":
            await self._comment(turn)
        elif kind == "conversation_returned":
            await self._returned(turn)
        elif kind == "order_update":
            await self._update(turn)
        elif kind == "comment_failed":
            await self._control.not_delivered(str(turn.entry.payload["key"]), str(turn.entry.payload["why"]))
        else:
            raise ValueError(f"unknown kind of entry: {kind}")

    def is_urgent(self, entry: Entry) -> bool:
        """A wish to be written to no more."""
        return self._updates is not None and self._updates.wish(entry) is not None

    async def apologise(self, turn: Turn) -> None:
        """Add the apology to a message's turn; tell the agent of a comment. Raises only while Redis or SQL is away."""
        if turn.entry.kind == "agent_comment":
            await self._control.not_delivered(turn.entry.id, "set_aside")
        elif turn.entry.kind == "message":
            try:
                await asyncio.wait_for(self._speaker.say(turn, APOLOGY), APOLOGY_TIMEOUT_S)
            except (RedisError, ConnectionError):
                raise
            except Exception as error:
                log.error("consumer.apology.failed error=%s", type(error).__name__)

    async def before_commit(self, turn: Turn) -> None:
        """A takeover that the turn opened shows in the mirror before the customer can hear of it."""
        if _called_a_person(turn.events):
            await self._control.takeover_opened(turn.entry.customer, turn.entry.id, turn.control_version)

    async def _comment(self, turn: Turn) -> None:
        """An agent's words become replies as they are, and so do their files; outside the window, a template."""
        payload: dict[str, Any] = turn.entry.payload
        if payload.get("template"):
            turn.replies += agent_replies.as_template(payload)
            return
        if payload.get("joined"):
            joined = await self._speaker.words(turn, JOINED, name=str(payload["joined"]))
            payload = {**payload, "text": "\n\n".join(filter(None, (joined, str(payload.get("text") or ""))))}
        turn.replies += agent_replies.replies(payload)
        links = agent_replies.links(payload)
        if links:
            await self._speaker.say(turn, FILE_LINK, files="\n".join(links))

    async def _returned(self, turn: Turn) -> None:
        """The assistant owns the conversation again, unless the agent took it up once more in the meantime."""
        state = await self._control.accept_return(turn.entry.customer, turn.entry.id)
        turn.control_version = state.control_version
        if state.owner != "bot":
            return
        if not turn.voices.silence(time.time()):
            if self._ratings is not None and await self._ratings.asks(turn):
                await self._speaker.say(turn, HOW_WAS_IT, reference=str(turn.entry.payload.get("reference")))
            else:
                await self._speaker.say(turn, RETURNED_WITH.get(str(turn.entry.payload.get("reason")), ENDED))
        await self._speaker.restart(turn)

    async def _update(self, turn: Turn) -> None:
        """Tell it, unless somebody else speaks to the customer."""
        state = await self._control.owner(turn.entry.customer)
        turn.control_version, turn.outcome = state.control_version, "not_notified"
        if self._updates is not None and state.owner == "bot" and not turn.voices.silence(time.time()):
            await self._updates.tell(turn)

    async def _message(self, turn: Turn) -> None:
        wished = self._updates is not None and await self._updates.take_wish(turn)
        state = await self._control.owner(turn.entry.customer)
        turn.control_version = state.control_version
        if await self._somebody_else_speaks(turn):
            turn.outcome = "silenced"
            if state.owner != "bot":
                await self._relay(turn)
            return
        # A turn that called a person, and died before it was committed, runs again: the customer was not told yet.
        if (
            state.owner != "bot"
            and state.opened_by != turn.entry.id
            and not await self._handed_back(turn, waiting=state.owner == "waiting")
        ):
            return
        sent_at = turn.metadata.get("timestamp") or time.time()
        if time.time() - float(sent_at) > WINDOW_S:
            turn.outcome = "too_old"
            log.warning("consumer.message.too_old age_h=%d", (time.time() - float(sent_at)) / 3600)
            return
        if self._limit is not None and not wished and not await self._limit.admits(turn):
            return
        self._speaker.seen(turn)
        if wished and self._updates is not None:
            await self._updates.confirm(turn)
            return
        await self._resolve_quote(turn)
        await self._speaker.answer(turn)
        if await self._taken_over_during_turn(turn):
            return
        if not turn.replies and not turn.silent:
            turn.outcome = "without_words"
            log.warning("consumer.turn.without_words")
            await self._speaker.say(turn, APOLOGY)

    async def _say_back(self, turn: Turn) -> None:
        """What was heard or read, above the answer, in its bubble where there is room: the customer sees what it is to.

        The turn's own language is that of the answer, so it can only be said once the turn is made.
        """
        said: dict[str, list[str]] = {}
        for part in turn.metadata.get("heard") or []:
            said.setdefault(READ if part["kind"] == "image" else HEARD, []).append(part["text"])
        if not said or not turn.replies:
            return
        try:
            lines = [await self._speaker.words(turn, name, heard=_for_display(parts)) for name, parts in said.items()]
        except LookupError as error:
            log.error("consumer.heard.not_said_back error=%s", error)
            return
        words, first = "\n".join(lines), turn.replies[0]
        body = bodies.headed(first.body, words)
        if body is None:
            turn.replies[:0] = [Reply(one.body, one.text) for one in bodies.texts(words)]
        else:
            turn.replies[0] = replace(first, body=body, text=f"{words}\n\n{first.text}")

    async def _somebody_else_speaks(self, turn: Turn) -> bool:
        """Whether a person in the phone app, or another app, has the conversation.

        Meta gives us a message only when no other app has the conversation. So one that comes after messages for that
        app says that it let go, of which Meta tells nobody.
        """
        voices = turn.voices
        if voices.app_until and 0 < voices.standby_at <= float(turn.metadata.get("timestamp") or time.time()):
            await self._client.hset(keys.voices(turn.entry.customer), "app_until", 0)
            voices = replace(voices, app_until=0.0)
        return voices.silence(time.time())

    async def _handed_back(self, turn: Turn, waiting: bool) -> bool:
        """Hand the message to the person who is to read it, however late; True when it is the assistant's after all.

        Until a person has written, the customer may take the conversation back, and hears that their words arrived.
        """
        turn.outcome = "relayed"
        wish = await self._speaker.wish(turn) if waiting else None
        outcome, receipt = await self._relay(turn, wish)
        if receipt is not None:
            await self._acknowledge(turn, receipt)
        if outcome != "answerable":
            return False
        state = await self._control.owner(turn.entry.customer)
        turn.control_version, turn.outcome = state.control_version, "answered"
        return state.owner == "bot"

    async def _relay(self, turn: Turn, wish: Wish | None = None) -> tuple[str, Receipt | None]:
        """Into the ticket, each message by itself; what became of the last one, and the receipt that is due."""
        receipt: Receipt | None = None
        for entry in turn.entries:
            relayed = await self._control.relay(entry.customer, entry, wish if entry is turn.entries[-1] else None)
            receipt = relayed.receipt or receipt
        return relayed.outcome, receipt

    async def _acknowledge(self, turn: Turn, receipt: Receipt) -> None:
        if receipt.opens is None:
            await self._speaker.say(turn, RECEIPT, reference=receipt.reference)
        else:
            await self._speaker.say(turn, RECEIPT_OUT_OF_HOURS, reference=receipt.reference, opens=receipt.opens)

    async def _resolve_quote(self, turn: Turn) -> None:
        """Tell the dialogue what the message quotes or comes after: by now everything before it is done."""
        reply_to = turn.metadata.get("reply_to")
        if reply_to:
            said = await quoting.quoted(self._client, turn.entry.customer, str(reply_to))
        else:
            latest = await quoting.latest(self._client, turn.entry.customer, turn.said_last)
            turn.metadata["shown_plan"] = latest.get("plan")  # a typed yes is to what reached the customer
            said = dict(latest) if self._updates is not None and latest.get("utter_action") == UPDATE else None
        if said is not None:
            turn.metadata["quoted"] = dict(said)

    async def _taken_over_during_turn(self, turn: Turn) -> bool:
        """An agent spoke up while the answer was made: it would not be sent, and the message is theirs to read."""
        state = await self._control.owner(turn.entry.customer)
        if state.owner == "bot" or state.opened_by == turn.entry.id:
            return False
        turn.discard_replies()
        turn.control_version, turn.outcome = state.control_version, "relayed"
        await self._relay(turn)
        return True


def _for_display(parts: list[str]) -> str:
    """What a customer is shown of their own words: the start, each line once, and no card's number once more."""
    words = " ".join(dict.fromkeys("\n".join(parts).splitlines()))
    return shorten(redact(words, keep=SHOWN_BACK), SAID_BACK_CHARS)


def _called_a_person(events: list[dict[str, Any]]) -> bool:
    """Whether the turn opened a takeover: the action ran and did not have to say that it failed."""
    said = [(event.get("metadata") or {}).get("utter_action") for event in events if event.get("event") == "bot"]
    ran = any(event.get("event") == "action" and event.get("name") == ESCALATION for event in events)
    return ran and NOBODY_CALLED not in said
