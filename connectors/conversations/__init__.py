"""Whose conversation a message belongs to, who speaks in it, and what an entry of the inbox leads to.

Imports `connectors.message_bus`, `handoff`, and of WhatsApp what a message says and how words are rendered.
Start reading in `entry_handler.py`, then `identity.py`.
"""
