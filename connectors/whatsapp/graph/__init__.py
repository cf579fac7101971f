"""The Graph API: calls, and what its errors ask us to do.

Imports nothing of ours but settings. Start reading in `client.py`.
"""
