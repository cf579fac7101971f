"""Who else speaks to a customer under our number, as Meta tells it.

A person may write from the WhatsApp Business app (`smb_message_echoes`), and another app of the business, such as
Meta's own agent, may have the conversation (`messaging_handovers`, `standby`). Their words are logged; we are silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.conversations.senders import Sender, read_recipient
from connectors.whatsapp.webhook.message_types import read_content
from lenient_json import as_mapping, identifier, objects, text, timestamp

REVOKED = "[deleted]"
# Meta tells the new owner that control was passed, and the one before that it was taken: both are news for us.
_TOLD_TO_US: dict[str, Literal["back", "away"]] = {"control_passed": "back", "control_taken": "away"}
_BY_APP_ID = ("pass_thread_control", "take_thread_control")


@dataclass(frozen=True)
class Echo:
    """Words to a customer that are not the assistant's. `id` is the original's when a message was edited or deleted.

    `source`: phone (a person in the WhatsApp Business app) or app (another app, which has the conversation).
    """

    id: str
    recipient: Sender
    at: int | None
    text: str
    source: Literal["phone", "app"] = "phone"
    is_change: bool = False


@dataclass(frozen=True)
class Handover:
    """Who has the conversation now. `outcome`: back (we), away (another app), by_ids (the apps' ids decide)."""

    customer: Sender
    at: int | None
    outcome: Literal["back", "away", "by_ids"]
    previous_app: str = ""
    new_app: str = ""


def read_echo(
    echo: Mapping[str, Any], contacts: list[Mapping[str, Any]], source: Literal["phone", "app"]
) -> Echo | None:
    """None when it does not say what was written to whom."""
    wamid, recipient = identifier(echo.get("id")), read_recipient(echo, contacts)
    if wamid is None or recipient is None or "group_id" in echo:
        return None
    content = read_content(echo)
    changes = identifier(content.extra.get("edits") or content.extra.get("revokes"))
    words = REVOKED if "revokes" in content.extra else content.typed or f"[{content.kind or 'message'}]"
    is_change = "edits" in content.extra or "revokes" in content.extra
    return Echo(changes or wamid, recipient, timestamp(echo.get("timestamp")), words, source, is_change)


def read_handover(value: Mapping[str, Any]) -> Handover | None:
    """None when control does not change (`request_thread_control`), or the customer is not named."""
    sender = as_mapping(value.get("sender"))
    phone = sender.get("phone_number") or sender.get("id")
    named = {"to": phone or value.get("from"), "to_user_id": sender.get("user_id")}
    customer = read_recipient(named, objects(value.get("contacts")))
    if customer is None:
        return None
    at = timestamp(value.get("timestamp"))
    for name in (*_TOLD_TO_US, *_BY_APP_ID):
        if not isinstance(value.get(name), dict):
            continue
        part = as_mapping(value[name])
        previous, new = text(part.get("previous_owner_app_id"), 60), text(part.get("new_owner_app_id"), 60)
        if name in _BY_APP_ID and previous and new:
            return Handover(customer, at, "by_ids", previous, new)
        return Handover(customer, at, _TOLD_TO_US.get(name) or ("back" if name == "pass_thread_control" else "away"))
    return None
