"""Which Redis server to ask: the master that sentinels name, and whether replicas hold what was written.

Imports nothing of the message bus. Start reading in `sentinels.py`.
"""
