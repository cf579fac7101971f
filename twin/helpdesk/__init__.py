"""Zendesk, played: its API, its webhooks, its rules about tickets, and the agents' page.

Imports nothing else of the twin but its pages. Start reading in `api.py`.
"""
