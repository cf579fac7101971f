"""What must not be lost between a webhook and the Graph API, in Redis: inbox, turns in each customer's order, replies.

Imports `handoff` (who speaks) and Redis, nothing of WhatsApp. Start reading in `transport.py` (what runs), then
`consumer.py` and `outbox.py`.
"""
