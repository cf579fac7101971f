"""Who speaks to the customer: the state machine of a takeover, from its beginning to its end.

Imports `handoff.storage` and opening hours, no helpdesk. Start reading in `state_machine.py`.
"""
