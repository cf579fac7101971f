"""How the assistant did: a period's figures as a page and in the terminal, and what deserves a designer's look.

Imports `query`. Start reading in `command.py`.
"""
