"""The output channel of one turn: it sends nothing, it puts what is to be sent into the Turn.

Rasa calls `send_response` once per response of an action; one response is one message wherever WhatsApp can show
it as one. The replies go out after the turn is committed.
"""

from typing import Any

from rasa.core.channels.channel import OutputChannel

from connectors.message_bus.turn import Reply, Turn
from connectors.whatsapp.rendering.messages import MessageShaper
from lenient_json import as_mapping
from privacy.outbound_links import AllowedLinks

# What a response says, as opposed to what the action tells about it (utter_action, policy_pages, …).
_CONTENT = frozenset(
    (
        *("text", "buttons", "quick_replies", "image", "attachment", "elements", "custom"),
        *("list_button", "quote", "timestamp", "metadata"),
    )
)


class WhatsAppOutput(OutputChannel):
    """Collects a turn's replies."""

    def __init__(self, turn: Turn, shaper: MessageShaper, links: AllowedLinks | None = None) -> None:
        """`links`: those that the assistant may send; an agent's own are not looked at."""
        self._turn, self._shaper = turn, shaper
        self._links = links if turn.entry.kind != "agent_comment" else None

    @classmethod
    def name(cls) -> str:
        """The channel's name, also for channel-specific response variations in the domain."""
        return "whatsapp"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Shape one response and add it to the turn. `quote: true` makes it a reply to the customer's message."""
        # A response's own `metadata` in the domain arrives one level down.
        message = {**as_mapping(message.get("metadata")), **message}
        if self._links is not None:
            message = self._links.response(message)
        metadata = {name: value for name, value in message.items() if name not in _CONTENT}
        quote = self._turn.metadata.get("wamid") if message.get("quote") else None
        for shaped in self._shaper.shape(message, self._turn.entry.customer, quote):
            self._turn.replies.append(Reply(shaped.body, shaped.text, metadata))

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """For callers that bypass `send_response`, as Rasa's own error messages do."""
        await self.send_response(recipient_id, {"text": text, **kwargs})
