"""The shop-in-a-box: stand-ins for WhatsApp and the helpdesk over HTTP, a phone and an agent desk in the browser."""
