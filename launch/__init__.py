"""Starting the product: embedded Redis, demo data, training, and the supervisor of its processes.

Starts the other rooms as processes and imports little of them. Start reading in `__main__.py`, then `supervisor.py`.
"""
