"""What the message bus asks about takeovers; `handoff.takeover` answers, through the mirror beside this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connectors.message_bus.inbox import Entry
from handoff.takeover.customer_messages import Wish
from handoff.takeover.thread_control import Relayed


class State(Protocol):
    """Who speaks ("bot", "waiting" or "agent"), the fencing epoch, the wamid of the turn that last called a person."""

    @property
    def holder(self) -> str: ...

    @property
    def epoch(self) -> int: ...

    @property
    def opened_by(self) -> str | None: ...


class Authority(Protocol):
    """Takeover authority. Methods raise handoff.storage.database.HandoffUnavailable."""

    async def holder(self, customer: str) -> State:
        """Who has the floor before a turn."""
        ...

    async def admit_reply(self, customer: str, epoch: int, wamid: str | None) -> bool:
        """Whether a reply computed in `epoch` for the entry `wamid` may still be sent."""
        ...

    async def relay(self, customer: str, entry: Entry, wish: Wish | None = None) -> Relayed:
        """Hand a message to the ticket, or grant its wish; told again after a crash, with the same entry id."""
        ...

    async def not_delivered(self, entry_id: str, why: str) -> None:
        """An agent's words did not reach the customer."""
        ...

    async def held_back(self, customer: str, wamid: str, answer: str) -> None:
        """The assistant's answer to a message was not sent, because a person had taken over."""
        ...

    async def accept_return(self, customer: str, entry_id: str) -> State:
        """The inbox has come to a conversation_returned entry; who has the floor from here on."""
        ...


class Floor(Authority, Protocol):
    """The authority as consumer and outbox know it."""

    async def called(self, customer: str, entry_id: str, epoch: int) -> None:
        """The turn `entry_id`, begun in `epoch`, called a person and is about to be committed."""
        ...


@dataclass(frozen=True)
class BotState:
    """The assistant speaks."""

    holder: str = "bot"
    epoch: int = 0
    opened_by: str | None = None


class BotHasIt:
    """No takeovers: the assistant always speaks."""

    async def holder(self, customer: str) -> State:
        return BotState()

    async def admit_reply(self, customer: str, epoch: int, wamid: str | None) -> bool:
        return True

    async def relay(self, customer: str, entry: Entry, wish: Wish | None = None) -> Relayed:
        return Relayed()

    async def not_delivered(self, entry_id: str, why: str) -> None:
        return None

    async def held_back(self, customer: str, wamid: str, answer: str) -> None:
        return None

    async def accept_return(self, customer: str, entry_id: str) -> State:
        return BotState()

    async def called(self, customer: str, entry_id: str, epoch: int) -> None:
        return None
