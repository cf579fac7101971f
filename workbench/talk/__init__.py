"""Talking to the trained model in this process: a chat that shows its reasons, and test stories.

Imports rasa. Start reading in `chat.py`.
"""
