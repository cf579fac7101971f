"""Message ids that look like Meta's: base64 around the customer's number and twenty hexadecimal digits."""

import base64
import secrets


def new_wamid(customer_key: str, outbound: bool) -> str:
    """A fresh id; `outbound` means that the business sent the message."""
    number = customer_key.encode()
    direction = b"\x11" if outbound else b"\x12"
    unique = secrets.token_hex(10).upper().encode()
    head = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00"
    return "wamid." + base64.b64encode(head + direction + b"\x18\x14" + unique + b"\x00").decode()
