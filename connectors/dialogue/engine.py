"""The dialogue engine as the consumer sees it: Rasa's agent, its responses, its trackers."""

import asyncio
import logging
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import BotUttered, Restarted

from connectors.dialogue.opening_hours import in_words
from connectors.dialogue.output import WhatsAppOutput
from connectors.dialogue.wishes import Dismisses, asks_for_person, wish_of
from connectors.message_bus.consumer import DependencyUnavailable
from connectors.message_bus.sending.errors import SendError
from connectors.message_bus.sending.outbox import Graph
from connectors.message_bus.turn import Turn
from connectors.whatsapp.rendering.messages import MessageShaper
from handoff.takeover.customer_messages import Wish
from handoff.takeover.opening_hours import Opening
from privacy.outbound_links import AllowedLinks

log = logging.getLogger(__name__)

MAX_MARKS = 30


class RasaSpeaker:
    """Answers with a Rasa agent."""

    def __init__(
        self,
        agent: Agent,
        graph: Graph,
        shaper: MessageShaper,
        links: AllowedLinks | None = None,
        dismisses: Dismisses = lambda words: False,
    ) -> None:
        self._agent, self._graph, self._shaper, self._links = agent, graph, shaper, links
        self._dismisses = dismisses
        self._marks: set[asyncio.Task[None]] = set()

    async def answer(self, turn: Turn) -> None:
        """One turn of the dialogue. Raises DependencyUnavailable while the model or the action server is away."""
        if not self._agent.is_ready():
            raise DependencyUnavailable("model")
        self._check_lock(turn.entry.customer)
        await self._agent.handle_message(
            UserMessage(
                str(turn.entry.payload.get("text") or ""),
                WhatsAppOutput(turn, self._shaper, self._links),
                turn.entry.customer,
                input_channel=WhatsAppOutput.name(),
                message_id=turn.entry.id,
                metadata=turn.metadata,
            )
        )
        if turn.dependency_unavailable:
            raise DependencyUnavailable(turn.dependency_unavailable)
        turn.silent = _deliberately_silent(turn)

    def _check_lock(self, customer: str) -> None:
        """Turns of one customer follow each other, so Rasa's lock is free; its waiters would poll once a second."""
        lock = self._agent.lock_store.get_lock(customer)
        if lock is not None and lock.is_someone_waiting():
            log.error("dialogue.lock.contended")

    async def wish(self, turn: Turn) -> Wish | None:
        """What a customer who waits for a person wants of the assistant; leaves no trace in the dialogue."""
        text = str(turn.entry.payload.get("text") or "")
        return await wish_of(text, self._agent.parse_message, self._dismisses)

    async def asks_for_person(self, turn: Turn) -> bool:
        """Whether the message asks for a person; leaves no trace in the dialogue."""
        return await asks_for_person(str(turn.entry.payload.get("text") or ""), self._agent.parse_message)

    async def say(self, turn: Turn, response: str, **facts: Any) -> None:
        """Add a response of the domain, its placeholders filled. Raises LookupError when there is none of this name."""
        message = await self._response(turn, response, facts)
        await WhatsAppOutput(turn, self._shaper, self._links).send_response(turn.entry.customer, message)

    async def words(self, turn: Turn, response: str, **facts: Any) -> str:
        """The text of a response of the domain, as `say` fills it."""
        return str((await self._response(turn, response, facts)).get("text") or "")

    async def restart(self, turn: Turn) -> None:
        """The next message begins a new session without old slots."""
        tracker = await self._agent.tracker_store.get_or_create_tracker(
            turn.entry.customer, append_action_listen=False
        )
        for reply in turn.replies:
            tracker.update(BotUttered(reply.text, metadata=reply.metadata))
        tracker.update(Restarted())
        turn.metadata = {"wamid": turn.entry.id, "customer": turn.entry.customer, "kind": turn.entry.kind}
        await self._agent.tracker_store.save(tracker)

    def seen(self, turn: Turn) -> None:
        """Mark as read and show the typing indicator, at best effort."""
        if len(self._marks) >= MAX_MARKS:
            return
        task = asyncio.create_task(self._mark(turn.entry.id))
        self._marks.add(task)
        task.add_done_callback(self._marks.discard)

    async def _mark(self, wamid: str) -> None:
        try:
            await self._graph.mark_read(wamid)
        except SendError as error:
            log.debug("dialogue.mark.failed error=%s", type(error).__name__)

    async def _response(self, turn: Turn, response: str, facts: dict[str, Any]) -> dict[str, Any]:
        tracker = await self._agent.tracker_store.retrieve(turn.entry.customer)
        if tracker is None:
            tracker = self._agent.tracker_store.init_tracker(turn.entry.customer)
        for name, fact in facts.items():
            if isinstance(fact, Opening):
                facts[name] = await in_words(fact, self._agent.nlg, tracker, WhatsAppOutput.name())
        message = await self._agent.nlg.generate(response, tracker, WhatsAppOutput.name(), **facts)
        if not message:
            raise LookupError(f"domain.yml has no response {response}")
        known = {"reference": facts["reference"]} if "reference" in facts else {}
        return {**message, **known, "utter_action": response}


def _deliberately_silent(turn: Turn) -> bool:
    """A paused dialogue predicts no action for a message; every other turn without words is a mistake."""
    kinds = [event.get("event") for event in turn.events]
    return "pause" in kinds or "user" not in kinds or "action" not in kinds[kinds.index("user") :]
