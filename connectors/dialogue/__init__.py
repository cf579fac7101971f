"""Rasa's dialogue engine, as the message bus asks it for a turn.

Imports rasa, the pure parts of `components`, and how replies are rendered. Start reading in `engine.py`.
"""
