"""`make check`: everything that can be wrong with one shop and its orders database, before customers find it.

Imports the readers of the product that will read the same things. Start reading in `command.py`.
"""
