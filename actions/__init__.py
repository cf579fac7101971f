"""The action server: what the assistant can do. One small module a skill, one sub-package a capability.

Imports rasa_sdk, the capabilities below, `handoff` and `privacy`; never rasa or `connectors`. Start reading in
`order_status.py` (a skill), then `skill/action.py` (what all are built from).
"""
