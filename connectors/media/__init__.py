"""Voice notes and pictures: what a customer said or showed, found out before the turn that answers it.

Imports the Graph client and what the bus hands on, never rasa. Start reading in `reading.py`.
"""
