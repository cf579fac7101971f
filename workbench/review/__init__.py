"""Customers' messages that the assistant was unsure of, labelled by a person, in the terminal or the browser.

Imports `conversation_log` and `workbench.nlu`. Start reading in `command.py`.
"""
