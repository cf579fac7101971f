"""The product beside stock Rasa, measured in the same run: turns a second, acknowledgements, kills.

Imports `connectors` and `launch`, and starts the rest as processes. Start reading in `__main__.py`, then `shop.py`.
"""
