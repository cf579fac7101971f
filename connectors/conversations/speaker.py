"""What handling an entry asks of the dialogue engine; `connectors.dialogue.engine` answers."""

from typing import Any, Protocol

from connectors.message_bus.turn import Turn
from handoff.takeover.customer_messages import Wish


class Speaker(Protocol):
    """The dialogue engine, as entries are handled with it."""

    async def answer(self, turn: Turn) -> None:
        """Run one turn of the dialogue; replies and events land in `turn`."""
        ...

    async def say(self, turn: Turn, response: str, **facts: Any) -> None:
        """Add the domain's response of this name to the turn's replies, its placeholders filled with the facts."""
        ...

    async def words(self, turn: Turn, response: str, **facts: Any) -> str:
        """The text of the domain's response of this name, in the customer's language."""
        ...

    async def wish(self, turn: Turn) -> Wish | None:
        """What a customer who waits for a person wants of the assistant. Never raises."""
        ...

    async def asks_for_person(self, turn: Turn) -> bool:
        """Whether the message wants a person. Never raises."""
        ...

    async def restart(self, turn: Turn) -> None:
        """Let the dialogue start over with the next message."""
        ...

    def seen(self, turn: Turn) -> None:
        """Show the customer that the message was read and is being answered; never waits."""
        ...
