"""Which helpdesk, by TICKETING."""

from __future__ import annotations

from handoff.configuration import HandoffConfiguration
from handoff.database import Database
from handoff.port import Helpdesk
from settings import Settings


def helpdesk(configured: Settings, configuration: HandoffConfiguration, db: Database) -> Helpdesk:
    """The configured helpdesk; no backend is imported before it is chosen. Raises SettingsError."""
    if configured.ticketing == "zendesk":
        from handoff.zendesk import Zendesk

        return Zendesk.from_settings(configured)
    if configured.ticketing == "freshdesk":
        from handoff.freshdesk import Freshdesk

        return Freshdesk.from_settings(configured, configuration.freshdesk_order_field)
    if configured.ticketing == "hubspot":
        from handoff.hubspot import HubSpot

        return HubSpot.from_settings(configured)
    from handoff.log_tickets import LogTickets

    return LogTickets(db)
