"""Meta's notifications: are they genuine, what do they say, and into the inbox with them.

Imports `connectors.conversations` and the inbox, never rasa. Start reading in `intake.py`.
"""
