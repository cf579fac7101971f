"""Meta's notifications, taken apart: every entry, change and message of a body (up to 1000 in one POST).

Nothing in a signed body may crash us (Meta would deliver it again for a week), so every field is read leniently
and what cannot be used is left out with a log line. Only a body that is no JSON at all is refused.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from connectors.conversations.senders import (
    IdentityChange,
    Sender,
    country_of,
    identity_change,
    read_sender,
    shared_phone,
)
from connectors.whatsapp.webhook.message_types import Content, read_content
from connectors.whatsapp.webhook.other_voices import Echo, Handover, read_echo, read_handover
from lenient_json import as_int, as_mapping, drop_empty, identifier, objects, text, timestamp

log = logging.getLogger(__name__)

STATUSES = ("sent", "delivered", "read", "played", "failed")
_MAX_DIGITS = 400


class NotJson(ValueError):
    """The body is not JSON (or not UTF-8, or nested beyond reason)."""


@dataclass(frozen=True)
class Message:
    """One message of a customer, not yet given to a conversation.

    `metadata` is as the architecture page lists it, still without customer, phone and received_at. `standby`: another
    app has the conversation, and the message gives no turn. `trace`: the span of the webhook that brought it.
    """

    id: str
    sender: Sender
    content: Content
    metadata: dict[str, Any]
    shared_phone: str | None = None
    change: IdentityChange | None = None
    standby: bool = False
    trace: str | None = None


@dataclass(frozen=True)
class Status:
    """What became of a message of ours. `key` is the biz_opaque_callback_data that we sent with it."""

    wamid: str
    status: str
    at: int | None
    key: str | None
    errors: tuple[dict[str, Any], ...] = ()
    pricing: Mapping[str, Any] | None = None  # category, billable, type, country of the customer

    def record(self) -> dict[str, Any]:
        """As the event stream carries it."""
        billed = {"pricing": dict(self.pricing)} if self.pricing else {}
        return {
            "record": "status", "wamid": self.wamid, "status": self.status, "at": self.at, "key": self.key,
            "errors": list(self.errors), **billed,
        }  # fmt: skip


@dataclass(frozen=True)
class Notification:
    """What one POST holds. `others` names what is only counted ("calls", "group message", …)."""

    messages: tuple[Message, ...] = ()
    statuses: tuple[Status, ...] = ()
    echoes: tuple[Echo, ...] = ()
    handovers: tuple[Handover, ...] = ()
    others: tuple[str, ...] = ()
    errors: tuple[dict[str, Any], ...] = ()


@dataclass
class _Findings:
    messages: list[Message] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


def parse_notification(body: bytes, phone_number_id: str) -> Notification:
    """Everything in `body` that concerns our number. Raises NotJson, and nothing else."""
    found = _Findings()
    root = as_mapping(_load(body))
    if root.get("object") not in (None, "whatsapp_business_account"):
        found.others.append("object " + text(root.get("object"), 60))
        return _notification(found)
    for entry in objects(root.get("entry")):
        for change in objects(entry.get("changes")):
            _read_change(change, phone_number_id, found)
    return _notification(found)


def _notification(found: _Findings) -> Notification:
    return Notification(**{name: tuple(values) for name, values in vars(found).items()})


def _load(body: bytes) -> Any:
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(digits: str) -> float | int:
    # int() takes quadratic time: a megabyte of digits would stop the server for seconds.
    return int(digits) if len(digits) <= _MAX_DIGITS else float("inf")


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=_bounded_int)


def _read_change(change: Mapping[str, Any], phone_number_id: str, found: _Findings) -> None:
    name = text(change.get("field"), 60)
    reader = _CHANGES.get(name)
    if reader is None:
        found.others.append(name or "field missing")
        return
    value = as_mapping(change.get("value"))
    number = as_mapping(value.get("metadata")) or as_mapping(value.get("recipient"))
    ours = identifier(number.get("phone_number_id"))
    if ours is not None and ours != phone_number_id:
        # One endpoint serves an app; other numbers of the same app have their own assistants.
        found.others.append("other phone number")
        return
    reader(value, found)


def _messages(value: Mapping[str, Any], found: _Findings) -> None:
    found.errors.extend(_errors(value.get("errors")))
    for status in objects(value.get("statuses")):
        _read_status(status, found)
    contacts = objects(value.get("contacts"))
    for message in objects(value.get("messages")):
        _read_message(message, contacts, found)


def _standby(value: Mapping[str, Any], found: _Findings) -> None:
    """What another app and the customer say to each other while that app has the conversation: never a turn."""
    value = as_mapping(value.get("standby")) or value
    heard = _Findings()
    _messages(value, heard)
    found.messages += [
        replace(message, content=replace(message.content, text=None), standby=True) for message in heard.messages
    ]
    found.statuses += heard.statuses
    found.others += heard.others
    _read_echoes(value, "app", found)


def _phone_echoes(value: Mapping[str, Any], found: _Findings) -> None:
    _read_echoes(value, "phone", found)


def _read_echoes(value: Mapping[str, Any], source: Literal["phone", "app"], found: _Findings) -> None:
    contacts = objects(value.get("contacts"))
    for raw in objects(value.get("message_echoes")):
        echo = read_echo(raw, contacts, source)
        if echo is None:
            found.others.append("unusable echo")
        else:
            found.echoes.append(echo)


def _handover(value: Mapping[str, Any], found: _Findings) -> None:
    handover = read_handover(value)
    if handover is None:
        found.others.append("handover without effect")
    else:
        found.handovers.append(handover)


_CHANGES = {
    "messages": _messages,
    "standby": _standby,
    "smb_message_echoes": _phone_echoes,
    "messaging_handovers": _handover,
}


def _read_message(
    message: Mapping[str, Any], contacts: list[Mapping[str, Any]], found: _Findings
) -> None:
    if "group_id" in message or message.get("recipient_type") == "group":
        found.others.append("group message")
        return
    content = read_content(message)
    wamid = identifier(message.get("id"))
    sender = read_sender(message, contacts, is_system=content.kind == "system")
    if wamid is None or sender is None:
        log.warning(
            "whatsapp.message.dropped reason=%s kind=%s", "no_id" if wamid is None else "no_sender", content.kind
        )
        found.others.append("unusable message")
        return
    found.messages.append(
        Message(
            id=wamid,
            sender=sender,
            content=content,
            metadata=_metadata(message, wamid, sender, content),
            shared_phone=shared_phone(message, sender) if content.kind == "contacts" else None,
            change=identity_change(message, sender) if content.kind == "system" else None,
        )
    )


def _metadata(message: Mapping[str, Any], wamid: str, sender: Sender, content: Content) -> dict[str, Any]:
    context = as_mapping(message.get("context"))
    kept = drop_empty(
        {
            **content.extra,
            "referral": _referral(as_mapping(message.get("referral"))),
            "referred_product": text(as_mapping(context.get("referred_product")).get("product_retailer_id"), 120),
            "forwarded": context.get("forwarded") is True or context.get("frequently_forwarded") is True or None,
        }
    )
    return {
        **kept,
        "wamid": wamid,
        "wa_id": sender.wa_id,
        "user_id": sender.user_id,
        "profile_name": sender.profile_name,
        "kind": content.kind,
        "timestamp": timestamp(message.get("timestamp")),
        "typed": content.typed,
        "reply_to": identifier(context.get("id")),
        "media": [dict(item) for item in content.media],
    }


def _referral(part: Mapping[str, Any]) -> dict[str, Any]:
    names = ("source_type", "source_id", "source_url", "headline", "ctwa_clid")
    return drop_empty({name: text(part.get(name), 500) for name in names})


def _read_status(status: Mapping[str, Any], found: _Findings) -> None:
    wamid = identifier(status.get("id"))
    name = status.get("status")
    if wamid is None or name not in STATUSES or status.get("recipient_type") == "group":
        found.others.append("other status")
        return
    key = text(status.get("biz_opaque_callback_data"), 512)
    at, errors, pricing = timestamp(status.get("timestamp")), _errors(status.get("errors")), _pricing(status)
    found.statuses.append(Status(wamid, str(name), at, key or None, errors, pricing))


def _pricing(status: Mapping[str, Any]) -> dict[str, Any] | None:
    part = as_mapping(status.get("pricing"))
    category = text(part.get("category"), 30)
    if not category:
        return None
    country = country_of(text(status.get("recipient_id"), 40), text(status.get("recipient_user_id"), 40))
    billed = {"category": category, "type": text(part.get("type"), 40), "country": country}
    return {**drop_empty(billed), "billable": part.get("billable") is True}


# Meta's explanations may quote the number that they are about.
_LONG_NUMBER = re.compile(r"\d{7,}")


def _errors(values: Iterable[Any] | Any) -> tuple[dict[str, Any], ...]:
    """Meta's error objects: {"code", "title", "details"}, without phone numbers."""
    return tuple(
        drop_empty(
            {
                "code": as_int(error.get("code")),
                "title": _LONG_NUMBER.sub("…", text(error.get("title") or error.get("message"), 200)),
                "details": _LONG_NUMBER.sub("…", text(as_mapping(error.get("error_data")).get("details"), 300)),
            }
        )
        for error in objects(values)[:10]
    )
