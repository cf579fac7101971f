"""Which helpdesk, by TICKETING."""

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Helpdesk
from handoff.storage.database import Database
from settings import Settings


def helpdesk(configured: Settings, configuration: HandoffConfiguration, db: Database) -> Helpdesk:
    """The configured helpdesk; no backend is imported before it is chosen. Raises SettingsError."""
    if configured.ticketing == "zendesk":
        from handoff.helpdesks.zendesk import Zendesk

        return Zendesk.from_settings(configured)
    if configured.ticketing == "freshdesk":
        from handoff.helpdesks.freshdesk import Freshdesk

        return Freshdesk.from_settings(configured, configuration.freshdesk_order_field)
    if configured.ticketing == "hubspot":
        from handoff.helpdesks.hubspot import HubSpot

        return HubSpot.from_settings(configured)
    if configured.ticketing == "chatwoot":
        from handoff.helpdesks.chatwoot import Chatwoot

        return Chatwoot.from_settings(configured)
    from handoff.helpdesks.log_tickets import LogTickets

    return LogTickets(db)
