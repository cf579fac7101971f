"""What a message's words say: one spelling, n-grams, and the learner that both intents and reasons for a person use.

Imports `components.embeddings`, never rasa. Start reading in `classifier.py`, then `message_text.py`.
"""
