"""A customer's replies on their way out: each once, in order, tried again as the kind of error asks.

Imports the rest of the bus and `handoff` (may the assistant still speak?). Start reading in `outbox.py`.
"""
