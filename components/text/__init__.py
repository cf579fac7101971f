"""What a message's words say: one spelling, n-grams, and the learner that both intents and reasons for a person use."""
