"""The designers' workbench: what the model makes of the phrases, and where the phrases contradict each other.

Imports whatever it judges; nothing imports it. Start reading in `__main__.py`.
"""
