"""The background process: event stream → log, tickets, nightly archive, closing idle conversations.

Imports `conversation_log`, `handoff` and the inbox of the message bus. Start reading in `__main__.py`.
"""
