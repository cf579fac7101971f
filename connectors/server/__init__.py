"""One Rasa server process: its start, its application, its health and metrics.

Imports every other room of `connectors`. Start reading in `__main__.py`.
"""
