"""Whose conversation a message belongs to, who speaks in it, and what a quoted message said.

Imports `connectors.message_bus` and `handoff`. Start reading in `identity.py`.
"""
