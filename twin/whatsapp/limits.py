"""Meta's limits on a message that a business sends: what the real Graph API would refuse, this refuses too.

Lengths are counted in code points. Meta states two limits for the body of a list (1024 and 4096); the stricter one
holds here, so that what passes is safe.
"""

import re
from typing import Any

from twin.whatsapp.graph_errors import Refusal
from twin.whatsapp.shapes import (
    OTHERS,
    Broken,
    Shape,
    anything,
    both,
    by_type,
    check,
    degrees,
    flag,
    items,
    refusal_of,
    text,
)

PHONE = re.compile(r"\+?[0-9][0-9 ()-]{3,24}")
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
LINK = re.compile(r"https?://[^\s/]+.*", re.S)
NO_SPACES_AROUND = re.compile(r"\S(.*\S)?", re.S)
PRODUCT = text(one_of=("whatsapp",), wrong=100)
ENVELOPE = {
    "messaging_product": PRODUCT,
    "type?": anything,
    "recipient_type?": text(one_of=("individual", "group")),
    "to?": text(matching=PHONE, says="is not a phone number"),
    "recipient?": text(matching=USER_ID, says="is not a business-scoped user ID"),
    "context?": {"message_id": text()},
    "biz_opaque_callback_data?": text(512),
    "recipient_identity_key_hash?": anything,
    "message_activity_sharing?": anything,
}
RECEIPT = {
    "messaging_product": PRODUCT,
    "status": text(one_of=("read",)),
    "message_id": text(),
    "typing_indicator?": {"type": text(one_of=("text",))},
}
BUTTON = {
    "type": text(one_of=("reply",)),
    "reply": {
        "id": text(256, matching=NO_SPACES_AROUND, says="must not begin or end with a space"),
        "title": text(20, blank=False, too_long=131009),
    },
}
ROW = {"id": text(200), "title": text(24, blank=False), "description?": text(72, empty=True)}
MAX_ROWS = 10
CONTACT = {
    "name": {"formatted_name": text(), **dict.fromkeys(
        ("first_name?", "last_name?", "middle_name?", "prefix?", "suffix?"), anything)},
    **dict.fromkeys(("addresses?", "birthday?", "emails?", "org?", "phones?", "urls?"), anything),
}  # fmt: skip


def check_message(body: Any) -> Refusal | None:
    """What is wrong with the body of POST /{phone_number_id}/messages that sends a message; None if nothing is."""
    return refusal_of(body, MESSAGE)


def check_read_receipt(body: Any) -> Refusal | None:
    """What is wrong with a body that marks a message as read (and may show the typing indicator)."""
    return refusal_of(body, RECEIPT)


def _media(**more: Shape) -> Shape:
    """An uploaded file or a link, with these keys more, all of them optional."""
    own = {f"{key}?": shape for key, shape in more.items()}
    return both({"id?": text(), "link?": text(), "provider?": anything, **own}, _one_source)


def _one_source(media: dict[str, Any], path: str) -> None:
    if ("id" in media) == ("link" in media):
        raise Broken(131009, f"{path} needs exactly one of id and link.")
    if "link" in media and not LINK.fullmatch(media["link"]):
        raise Broken(131053, f"{path}['link'] is not a web address that can be fetched.")


def _addressed(body: dict[str, Any], path: str) -> None:
    if "to" not in body and "recipient" not in body:
        raise Broken(131008, "The parameter to (or recipient) is required.")


def _different_buttons(action: dict[str, Any], path: str) -> None:
    for key in ("id", "title"):
        _all_different(f"Button {key}s", [button["reply"][key] for button in action["buttons"]])


def _list_action(action: Any, path: str) -> None:
    """One section may have a title, several must."""
    several = isinstance(action, dict) and isinstance(action.get("sections"), list) and len(action["sections"]) > 1
    section = {"title" if several else "title?": text(24, empty=not several), "rows": items(ROW, MAX_ROWS)}
    check(action, {"button": text(20, blank=False), "sections": items(section, 10)}, path)
    rows = [row["id"] for section in action["sections"] for row in section["rows"]]
    if len(rows) > MAX_ROWS:
        raise Broken(131009, f"Total row count exceeds max allowed count: {MAX_ROWS}")
    _all_different("Row ids", rows)


def _all_different(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise Broken(131009, f"{what} must be unique.")


def _template_part(part: Any, path: str) -> None:
    button = isinstance(part, dict) and str(part.get("type")).lower() == "button"
    check(part, {"type": text(), OTHERS: anything, **({"sub_type": text(), "index": anything} if button else {})}, path)


def _header(*kinds: str) -> Shape:
    others = dict.fromkeys((f"{kind}?" for kind in kinds), anything)
    file = _media(filename=anything)
    return by_type({
        kind: {"type": anything, "sub_text?": anything, **{key: shape for key, shape in others.items()
               if key != f"{kind}?"}, kind: text(60) if kind == "text" else file}
        for kind in kinds
    })  # fmt: skip


def _interactive(action: Shape, header: Shape) -> Shape:
    return {"type": anything, "header?": header, "body": {"text": text(1024, blank=False)},
            "footer?": {"text": text(60)}, "action": action}  # fmt: skip


def _named(name: str) -> Shape:
    return {"name": text(one_of=(name,)), OTHERS: anything}


_ANY_HEADER = _header("text", "image", "video", "document")
INTERACTIVE = by_type({
    "button": _interactive(both({"buttons": items(BUTTON, 3)}, _different_buttons), _ANY_HEADER),
    "list": _interactive(_list_action, _header("text")),
    "cta_url": _interactive({
        "name": text(one_of=("cta_url",)),
        "parameters": {"display_text": text(20), "url": text(matching=LINK, says="is not a web address")},
    }, _ANY_HEADER),
    "location_request_message": _interactive(_named("send_location"), _ANY_HEADER),
    "request_contact_info": _interactive(_named("request_contact_info"), _ANY_HEADER),
}, wrong=100)  # fmt: skip
CONTENT: dict[str, Shape] = {
    "text": {"body": text(4096, blank=False), "preview_url?": flag},
    "image": _media(caption=text(1024)),
    "video": _media(caption=text(1024)),
    "document": _media(caption=text(1024), filename=text(240)),
    "audio": _media(voice=flag),
    "sticker": _media(),
    "location": {"latitude": degrees(90), "longitude": degrees(180), "name?": text(1000), "address?": text(1000)},
    "contacts": items(CONTACT, 257),
    "reaction": {"message_id": text(), "emoji": text(30, empty=True)},
    "template": {"name": text(512), "language": {"code": text(), "policy?": anything}, "namespace?": anything,
                 "components?": items(_template_part, 20, least=0)},
    "interactive": INTERACTIVE,
}  # fmt: skip
MESSAGE = both(
    by_type({kind: {**ENVELOPE, kind: shape} for kind, shape in CONTENT.items()}, wrong=100, default="text"), _addressed
)
