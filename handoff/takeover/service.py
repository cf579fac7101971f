"""What the action server needs of takeovers: call a person, and know when one will answer."""

from __future__ import annotations

import asyncio
import logging
import time

from handoff.configuration import HandoffConfiguration, load_configuration
from handoff.storage.database import Database, HandoffUnavailable
from handoff.takeover.brief import Brief, complete
from handoff.takeover.opening_hours import Opening
from handoff.takeover.state_machine import Opened, Request, open_takeover
from settings import Settings

log = logging.getLogger(__name__)


class HandoffService:
    """Takeovers, as the action server asks for them."""

    def __init__(self, db: Database, configuration: HandoffConfiguration) -> None:
        self._db, self._configuration = db, configuration

    @classmethod
    def from_settings(cls, configured: Settings) -> HandoffService:
        """Connects on first use. Raises HandoffConfigurationError."""
        return cls(Database(configured.values["CONVERSATION_DATABASE_URL"] or ""), load_configuration())

    async def call(self, request: Request, brief: Brief | None = None, wait_s: float = 0.0) -> Opened:
        """Have a person take over the conversation; the ticket waits `wait_s` for a better draft reply (`complete`).

        Raises HandoffUnavailable: then nobody was called.
        """
        prefix = self._configuration.reference_prefix
        return await asyncio.to_thread(open_takeover, self._db, request, prefix, None, brief, wait_s)

    async def complete(self, takeover_id: int, reply: str, sources: tuple[str, ...]) -> None:
        """The draft reply for the ticket, or that there is none: it need not wait any longer."""
        try:
            await asyncio.to_thread(complete, self._db, takeover_id, reply, sources, time.time())
        except HandoffUnavailable as error:
            log.warning("handoff.brief.not_completed error=%s", type(error).__name__)

    def closed_until(self, moment: float | None = None) -> Opening | None:
        """When people answer next, or None when they do now (or never say)."""
        return self._configuration.hours.closed_until(time.time() if moment is None else moment)
