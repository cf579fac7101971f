"""Which intent a message has: Rasa's door to the learner, and messages that say several things.

Imports rasa, `components.text` and `components.embeddings`. Start reading in `intent_classifier.py`.
"""
