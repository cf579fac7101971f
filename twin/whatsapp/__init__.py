"""Meta's side, played: the Graph API with its limits and errors, webhooks, and WhatsApp between phones and shop.

Imports `twin.phone` for what stands on the phones. Start reading in `network.py`.
"""
