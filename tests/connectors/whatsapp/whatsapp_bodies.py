"""Webhook bodies of our own making, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

OUR_NUMBER = "700000000000001"
WA_ID = "919812345670"
USER_ID = "IN.30000000000000000001"


def notification(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    """One entry with a change per value."""
    changes = [{"field": field, "value": value} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "800000000000001", "changes": changes}]}


def value(*messages: dict[str, Any], number: str = OUR_NUMBER, **more: Any) -> dict[str, Any]:
    """A change's value with messages of the customer."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "918000000000", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Meera"}, "wa_id": WA_ID}],
        "messages": list(messages),
        **more,
    }


def message(kind: str = "text", wamid: str = "wamid.A1", sender: str = WA_ID, **parts: Any) -> dict[str, Any]:
    """One message; a text says "Where is my parcel?" unless told otherwise."""
    if kind == "text" and "text" not in parts:
        parts["text"] = {"body": "Where is my parcel?"}
    return {"from": sender, "id": wamid, "timestamp": "1790000000", "type": kind, **parts}


def as_bytes(body: Any) -> bytes:
    """The body as Meta would send it."""
    return json.dumps(body).encode()
