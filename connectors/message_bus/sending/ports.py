"""What the outbox needs of others: somebody who sends, and somebody who knows who may speak."""

from typing import Any, Protocol


class Graph(Protocol):
    """The Graph client."""

    async def send(self, body: dict[str, Any]) -> str:
        """Send one message and return its wamid. Raises SendError."""
        ...

    async def mark_read(self, wamid: str, typing: bool = True) -> None:
        """Show that the message was read and is being answered. Raises SendError."""
        ...


class Authority(Protocol):
    """Takeovers, as the outbox asks of them. Methods raise handoff.storage.database.HandoffUnavailable."""

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        """Whether a reply computed in `control_version` for the entry `wamid` may still be sent."""
        ...

    async def not_delivered(self, entry_id: str, why: str) -> None:
        """An agent's words did not reach the customer."""
        ...

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        """The assistant's answer to a message was not sent, because a person had taken over."""
        ...
