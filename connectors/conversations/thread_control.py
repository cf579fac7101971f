"""What the message bus asks about takeovers; `handoff.takeover` answers, through the mirror beside this."""

from typing import Protocol

from connectors.message_bus.inbox import Entry
from handoff.takeover.customer_messages import Wish
from handoff.takeover.thread_control import Relayed


class State(Protocol):
    """Who speaks ("bot", "waiting" or "agent"), the fencing token, the wamid of the turn that last called a person."""

    @property
    def owner(self) -> str: ...

    @property
    def control_version(self) -> int: ...

    @property
    def opened_by(self) -> str | None: ...


class Authority(Protocol):
    """Takeover authority. Methods raise handoff.storage.database.HandoffUnavailable."""

    async def owner(self, customer: str) -> State:
        """Who owns the conversation before a turn."""
        ...

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        """Whether a reply computed in `control_version` for the entry `wamid` may still be sent."""
        ...

    async def relay(self, customer: str, entry: Entry, wish: Wish | None = None) -> Relayed:
        """Hand a message to the ticket, or grant its wish; told again after a crash, with the same entry id."""
        ...

    async def not_delivered(self, entry_id: str, why: str) -> None:
        """An agent's words did not reach the customer."""
        ...

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        """The assistant's answer to a message was not sent, because a person had taken over."""
        ...

    async def accept_return(self, customer: str, entry_id: str) -> State:
        """The inbox has come to a conversation_returned entry; who owns the conversation from here on."""
        ...


class ThreadControl(Authority, Protocol):
    """The authority as consumer and outbox know it."""

    async def takeover_opened(self, customer: str, entry_id: str, control_version: int) -> None:
        """The turn `entry_id`, begun in `control_version`, called a person and is about to be committed."""
        ...
