"""What stock Rasa asks to be stored, in Redis: the tracker, and its events on their way to the log.

Imports rasa and `connectors.message_bus`. Start reading in `tracker_store.py`.
"""
