"""The Rasa server's edges: channels, tracker store, event broker, agents' webhooks."""
