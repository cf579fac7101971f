"""Who speaks to the customer: takeovers, their tickets, and the words that pass between customer and agent.

    open_takeover      customer escalated ─────────► waiting ──── customer wants the assistant back ──► bot
    agent_said         first public comment        ► agent   ──── ticket solved or closed ───────────► bot

The state is SQL (`storage/tables.py`), one row a customer, and every change raises that row's control version: a reply
computed in an older one is never sent (`takeover/thread_control.py`). Whatever has to happen elsewhere (ticket,
notification, words for the customer) is written as a row in the same transaction and carried out later by the worker,
any number of times with the effect of once.

Imports `privacy` and settings. Start reading in `takeover/state_machine.py`, then `jobs/dispatcher.py`.
"""
