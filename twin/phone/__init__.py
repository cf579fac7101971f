"""The customers' phones in the browser: their chats and who holds them.

Imports nothing else of the twin but its configuration. Start reading in `browser.py`.
"""
