"""What all processes agree on about Redis: where it is, how it is laid out, which version a record has.

Imports nothing of ours; any room but the twin may import it. Start reading in `redis_layout.py`.
"""
