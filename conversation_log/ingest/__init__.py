"""From the event stream into SQL, each message once.

Imports `model` and `storage`. Start reading in `writer.py`.
"""
