"""What the log keeps: records of the event stream, the judgements about them, and a customer's names.

Imports nothing else of the log but the tables. Start reading in `records.py`.
"""
