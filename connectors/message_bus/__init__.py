"""What must not be lost between a webhook and the Graph API, in Redis: inbox, turns in each customer's order, replies.

Imports `handoff` (who speaks), metrics and Redis; nothing of WhatsApp, of conversations or of the dialogue, which are
handed in. Start reading in `transport.py` (what runs), then `consumer.py` and `sending/outbox.py`.
"""
