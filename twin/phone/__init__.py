"""The customers' phones in the browser: their chats and who holds them.

Imports nothing else of the twin. Start reading in `browser.py`.
"""
