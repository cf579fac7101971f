"""What a message means after what was said before: the context of a turn, and a model that reads follow-ups in it.

May import components only. Start reading at `context.py` (what was talked about last), then `follow_ups.py`.
"""
