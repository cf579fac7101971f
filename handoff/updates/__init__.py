"""What the shop reports of its orders, and who wants to be told: events until their customers heard of them, opt-outs.

Imports `handoff.storage` and the shop's file. Start reading in `events.py`, then `opt_outs.py`.
"""
