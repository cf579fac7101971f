"""The Graph API: calls, and what its errors ask us to do.

Imports the errors of `connectors.message_bus.sending`. Start reading in `client.py`.
"""
