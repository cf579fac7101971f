"""The bodies that Meta posts to a webhook: what happened in, JSON out; and the ids of messages."""

import base64
import secrets
import time
from typing import Any

from twin.configuration import TwinConfiguration
from twin.phone.customers import Customer

FREE_SERVICE_MESSAGES = 1000  # of a number in a month


def new_wamid(customer_key: str, outbound: bool) -> str:
    """A fresh id that looks like Meta's: base64 around the customer's number. `outbound`: the business sent it."""
    number = customer_key.encode()
    direction = b"\x11" if outbound else b"\x12"
    unique = secrets.token_hex(10).upper().encode()
    head = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00"
    return "wamid." + base64.b64encode(head + direction + b"\x18\x14" + unique + b"\x00").decode()


def pricing(is_template: bool, window_open: bool, service_messages: int) -> dict[str, Any]:
    """What a message is billed as; `service_messages` is how many there were this month, this one included."""
    category = "utility" if is_template else "service"
    free = window_open if is_template else service_messages <= FREE_SERVICE_MESSAGES
    kind = "free_customer_service" if free else "regular"
    return {"billable": not free, "pricing_model": "PMP", "category": category, "type": kind}


def notification(configuration: TwinConfiguration, values: list[dict[str, Any]]) -> dict[str, Any]:
    """One POST body: every value becomes a change of its own inside one entry."""
    changes = [{"value": {**_metadata(configuration), **value}, "field": "messages"} for value in values]
    entry = {"id": configuration.business_account_id, "changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def _metadata(configuration: TwinConfiguration) -> dict[str, Any]:
    number = {"display_phone_number": configuration.shop_phone, "phone_number_id": configuration.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": number}


def contact_of(customer: Customer) -> dict[str, Any]:
    """The `contacts` entry: without `wa_id` for a customer who has no visible number."""
    contact: dict[str, Any] = {"profile": {"name": customer.name}, "user_id": customer.user_id}
    if customer.wa_id:
        contact["wa_id"] = customer.wa_id
    return contact


def message_value(customer: Customer, messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"contacts": [contact_of(customer)], "messages": messages}


def inbound_message(
    customer: Customer,
    wamid: str,
    at: float,
    content: dict[str, Any],
    reply_to: str | None,
    configuration: TwinConfiguration,
) -> dict[str, Any]:
    """One entry of `messages`. `content` is the type and the object of its name, e.g. {type: text, text: {body}}."""
    message: dict[str, Any] = {"id": wamid, "timestamp": str(int(at)), "from_user_id": customer.user_id, **content}
    if customer.wa_id:
        message["from"] = customer.wa_id
    if reply_to:
        message["context"] = {"from": configuration.shop_phone, "id": reply_to}
    return message


def status_value(
    customer: Customer,
    wamid: str,
    status: str,
    callback_data: str | None,
    error: dict[str, Any] | None = None,
    billed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One delivery status; a failed one has errors, and no contacts."""
    entry: dict[str, Any] = {
        "id": wamid,
        "status": status,
        "timestamp": str(int(time.time())),
        "recipient_user_id": customer.user_id,
    }
    if customer.wa_id:
        entry["recipient_id"] = customer.wa_id
    if callback_data is not None:
        entry["biz_opaque_callback_data"] = callback_data
    if error is not None:
        return {"statuses": [{**entry, "errors": [error]}]}
    if billed is not None and status in ("sent", "delivered"):
        entry["pricing"] = billed
    return {"contacts": [contact_of(customer)], "statuses": [entry]}
