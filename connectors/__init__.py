"""The Rasa server's edges: channels, tracker store, event broker, agents' webhooks.

Imports rasa, `handoff`, `privacy`, and of the components only what is pure. Start reading in `server/application.py`
(how everything is put together), then `message_bus/`.
"""
