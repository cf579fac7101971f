"""The helpdesks behind one interface: Zendesk, Freshdesk, HubSpot, Chatwoot, and tickets kept in our own database.

Imports `handoff.storage`; `zendesk_events.py` also the takeover. Start reading in `interface.py`.
"""
