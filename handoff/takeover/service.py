"""What the action server needs of takeovers: call a person, and know when one will answer."""

from __future__ import annotations

import asyncio
import time

from handoff.configuration import HandoffConfiguration, load_configuration
from handoff.storage.database import Database
from handoff.takeover.opening_hours import Opening
from handoff.takeover.state_machine import Opened, Request, open_takeover
from settings import Settings


class HandoffService:
    """Takeovers, as the action server asks for them."""

    def __init__(self, db: Database, configuration: HandoffConfiguration) -> None:
        self._db, self._configuration = db, configuration

    @classmethod
    def from_settings(cls, configured: Settings) -> HandoffService:
        """Connects on first use. Raises HandoffConfigurationError."""
        return cls(Database(configured.values["CONVERSATION_DATABASE_URL"] or ""), load_configuration())

    async def call(self, request: Request) -> Opened:
        """Have a person take over the conversation. Raises HandoffUnavailable: then nobody was called."""
        return await asyncio.to_thread(
            open_takeover, self._db, request, self._configuration.reference_prefix
        )

    def closed_until(self, moment: float | None = None) -> Opening | None:
        """When people answer next, or None when they do now (or never say)."""
        return self._configuration.hours.closed_until(time.time() if moment is None else moment)
