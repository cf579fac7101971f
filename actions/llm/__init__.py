"""Calls of a language model, whichever company runs it: no capability of its own, but a tool of those that are.

Imports settings and privacy only. Start reading in `client.py`.
"""
