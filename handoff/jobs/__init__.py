"""What is owed to helpdesks and customers: tickets and comments going out, agents' words coming in.

Imports every other room of `handoff`. Start reading in `dispatcher.py` (out) and `polling.py` (in).
"""
