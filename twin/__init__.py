"""The simulator: WhatsApp and the helpdesk over HTTP, a phone and an agent desk in the browser.

Imports nothing of ours and speaks only HTTP. Start reading in `app.py`.
"""
