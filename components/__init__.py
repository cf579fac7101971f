"""Custom components of the Rasa graph, and the pure functions that they wrap.

Imports rasa, the shop and `privacy/indic.py`, no other room. Start reading in
`intents/intent_classifier.py`, then `text/classifier.py`.
"""
