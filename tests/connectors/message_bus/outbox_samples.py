"""Replies to be sent, and what became of them."""

from __future__ import annotations

from typing import Any

from tests.connectors.message_bus.log_records import records


def sent_records(url: str) -> list[dict[str, Any]]:
    return [record for record in records(url) if record["record"] == "sent"]


class Script:
    """Raises the given errors, one a call, for one customer or all; then lets everything through."""

    def __init__(self, *errors: Exception, only: str | None = None) -> None:
        self.errors = list(errors)
        self.only = only

    async def __call__(self, body: dict[str, Any]) -> None:
        if self.errors and (self.only is None or body.get("to") == self.only):
            raise self.errors.pop(0)


class ControlLostAtSending:
    """The bot owns the conversation when the turn runs and has lost it when its reply is to be sent."""

    def __init__(self) -> None:
        self.held: list[tuple[str, str, str]] = []

    async def owner(self, customer: str) -> Any:
        return type("State", (), {"owner": "bot", "control_version": 1})()

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        return wamid != "late"

    async def relay(self, customer: str, entry: Any, wish: Any = None) -> Any: ...

    async def not_delivered(self, entry_id: str, why: str) -> None: ...

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        self.held.append((customer, wamid, answer))
