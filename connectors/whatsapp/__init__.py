"""WhatsApp through Meta's Cloud API: signed webhooks in, Graph API calls out.

Imports `connectors.message_bus` and `connectors.conversations`; rasa in `channel.py` alone. Start reading in
`channel.py`, then `webhook/intake.py`.
"""
