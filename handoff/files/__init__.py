"""Files on both ways: customers' are copied before WhatsApp deletes them, agents' become media of their own.

Imports `handoff.storage` and what fetching from a helpdesk takes; who talks to WhatsApp is handed in by the worker.
Start reading in `copies.py` (customers') and `uploads.py` (agents').
"""
