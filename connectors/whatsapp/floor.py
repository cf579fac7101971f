"""What the transport asks about takeovers; answered by `handoff` when it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connectors.whatsapp.inbox import Entry


@dataclass(frozen=True)
class FloorState:
    """Who speaks to the customer ("bot", "waiting" or "agent"), and the fencing epoch."""

    holder: str
    epoch: int


class Floor(Protocol):
    """Takeover authority."""

    async def holder(self, customer: str) -> FloorState:
        """Who has the floor before a turn."""
        ...

    async def may_send(self, customer: str, epoch: int, wamid: str) -> bool:
        """Whether a reply computed in `epoch` for the message `wamid` may still be sent."""
        ...

    async def relay(self, customer: str, entry: Entry) -> None:
        """Hand a message to the ticket; told again after a crash, with the same entry id."""
        ...


class BotHasIt:
    """No takeovers: the assistant always speaks."""

    async def holder(self, customer: str) -> FloorState:
        return FloorState("bot", 0)

    async def may_send(self, customer: str, epoch: int, wamid: str) -> bool:
        return True

    async def relay(self, customer: str, entry: Entry) -> None:
        return None
