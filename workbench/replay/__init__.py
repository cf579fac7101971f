"""Logged conversations played once more with another model or other pages: what would change.

May import actions, components, conversation_log and the rest of the workbench. Start reading at `turns.py` (what is
played), then `playing.py`, `answers.py` (what counts as a change). `python -m conversation_log replay` runs it.
"""
