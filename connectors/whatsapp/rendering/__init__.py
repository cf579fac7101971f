"""A Rasa response as Graph API bodies within Meta's limits. Pure: no network, no state.

Imports nothing but `webhook.payload_ids`. Start reading in `messages.py`.
"""
