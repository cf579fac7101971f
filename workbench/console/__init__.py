"""Why the assistant said something, and how it is doing: the inspector beside the phone, live figures, what-if.

Reads what the product records anyway (log, trackers, metrics); imports no rasa. Start reading in `server.py`.
"""
