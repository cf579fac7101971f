"""Which intent a message has: Rasa's door to the learner, and messages that say several things."""
