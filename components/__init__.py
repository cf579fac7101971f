"""Custom components of the Rasa graph, and the pure functions that they wrap."""
