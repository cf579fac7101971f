"""Who is notified of an escalation once its ticket exists: Slack, a mailbox.

Imports `handoff.storage` and the ticket. Start reading in `notices.py`.
"""
