"""Meta's limits on a message that a business sends: what the real Graph API would refuse, this refuses too.

`check_message` and `check_read_receipt` take a parsed body and return the refusal, or None when Meta would accept it.
Lengths are counted in code points.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twin.whatsapp.fields import Broken, Fields, invalid, missing
from twin.whatsapp.graph_errors import Refusal
from twin.whatsapp.interactive import check_interactive

TEXT_MAX = 4096
CAPTION_MAX = 1024
FILENAME_MAX = 240
CALLBACK_DATA_MAX = 512
CONTACTS_MAX = 257
PHONE = re.compile(r"\+?[0-9][0-9 ()-]{3,24}")
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
NAME_KEYS = frozenset({"formatted_name", "first_name", "last_name", "middle_name", "prefix", "suffix"})
COMMON_KEYS = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
    | {"recipient_identity_key_hash", "message_activity_sharing"}
)


def check_message(body: Any) -> Refusal | None:
    """What is wrong with the body of POST /{phone_number_id}/messages that sends a message; None if nothing is."""
    try:
        message = Fields.of(body, "")
        kind = message.text("type", required=False) or "text"
        if kind not in CONTENT:
            raise Broken(Refusal(100, f"Param type must be one of {{{', '.join(sorted(CONTENT))}}} - got \"{kind}\"."))
        message.only(COMMON_KEYS | {kind})
        _check_envelope(message)
        CONTENT[kind](message)
    except Broken as broken:
        return broken.refusal
    return None


def check_read_receipt(body: Any) -> Refusal | None:
    """What is wrong with a body that marks a message as read (and may show the typing indicator)."""
    try:
        receipt = Fields.of(body, "")
        receipt.only({"messaging_product", "status", "message_id", "typing_indicator"})
        _check_product(receipt)
        if receipt.text("status") != "read":
            raise invalid("status must be one of {read}.")
        receipt.text("message_id")
        indicator = receipt.child("typing_indicator", required=False)
        if indicator is not None:
            indicator.only({"type"})
            if indicator.text("type") != "text":
                raise invalid("typing_indicator['type'] must be one of {text}.")
    except Broken as broken:
        return broken.refusal
    return None


def _check_product(message: Fields) -> None:
    if message.text("messaging_product") != "whatsapp":
        raise Broken(Refusal(100, 'Param messaging_product must be one of {WHATSAPP} - got another value.'))


def _check_envelope(message: Fields) -> None:
    _check_product(message)
    if message.text("recipient_type", required=False) not in (None, "individual", "group"):
        raise invalid("recipient_type must be one of {individual, group}.")
    to = message.text("to", required=False)
    recipient = message.text("recipient", required=False)
    if to is None and recipient is None:
        raise missing("to (or recipient)")
    if to is not None and not PHONE.fullmatch(to):
        raise invalid("to is not a phone number.")
    if recipient is not None and not USER_ID.fullmatch(recipient):
        raise invalid("recipient is not a business-scoped user ID.")
    message.text("biz_opaque_callback_data", longest=CALLBACK_DATA_MAX, required=False)
    context = message.child("context", required=False)
    if context is not None:
        context.only({"message_id"})
        context.text("message_id")


def _check_text(message: Fields) -> None:
    text = message.child("text")
    text.only({"body", "preview_url"})
    text.text("body", longest=TEXT_MAX, blank=False)
    text.flag("preview_url")


def _media(kind: str, *extra: str) -> Callable[[Fields], None]:
    """A checker of one kind of media; `extra` are its keys beside id, link and provider."""

    def check(message: Fields) -> None:
        media = message.child(kind)
        media.only({"id", "link", "provider", *extra})
        check_media_source(media)
        media.text("caption", longest=CAPTION_MAX, required=False)
        media.text("filename", longest=FILENAME_MAX, required=False)
        media.flag("voice")

    return check


def check_media_source(media: Fields) -> None:
    """Exactly one of an uploaded media id and a link that Meta can fetch."""
    identifier = media.text("id", required=False)
    link = media.text("link", required=False)
    if (identifier is None) == (link is None):
        raise invalid(f"{media.path} needs exactly one of id and link.")
    if link is not None and not re.match(r"https?://[^\s/]+", link):
        raise Broken(Refusal(131053, f"{media.path}['link'] is not a web address that can be fetched."))


def _check_location(message: Fields) -> None:
    location = message.child("location")
    location.only({"latitude", "longitude", "name", "address"})
    location.coordinate("latitude", 90)
    location.coordinate("longitude", 180)
    location.text("name", longest=1000, required=False)
    location.text("address", longest=1000, required=False)


def _check_reaction(message: Fields) -> None:
    reaction = message.child("reaction")
    reaction.only({"message_id", "emoji"})
    reaction.text("message_id")
    reaction.text("emoji", longest=30, empty=True)


def _check_contacts(message: Fields) -> None:
    for contact in message.children("contacts", most=CONTACTS_MAX):
        contact.only({"addresses", "birthday", "emails", "name", "org", "phones", "urls"})
        name = contact.child("name")
        name.only(NAME_KEYS)
        name.text("formatted_name")


def _check_template(message: Fields) -> None:
    template = message.child("template")
    template.only({"name", "language", "components", "namespace"})
    template.text("name", longest=512)
    language = template.child("language")
    language.only({"code", "policy"})
    language.text("code")
    if "components" not in template.values:
        return
    for component in template.children("components", most=20, least=0):
        if component.text("type").lower() == "button":
            component.text("sub_type")
            if "index" not in component.values:
                raise missing(f"{component.path}['index']")


CONTENT: dict[str, Callable[[Fields], None]] = {
    "text": _check_text,
    "image": _media("image", "caption"),
    "video": _media("video", "caption"),
    "document": _media("document", "caption", "filename"),
    "audio": _media("audio", "voice"),
    "sticker": _media("sticker"),
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "template": _check_template,
    "interactive": lambda message: check_interactive(message.child("interactive"), check_media_source),
}
