"""What a customer can do on the phone, as the message contents that Meta's webhook carries."""

from typing import Any

from twin.phone.chats import Chat
from twin.whatsapp.media import VOICE_TYPE, Media, MediaRefused, MediaStore, picture_from, sample_picture, voice_note

TEXT_MAX = 65536


class CannotSend(ValueError):
    """The phone cannot send this; the message says why."""


def content_of(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    """The type and the object of its name, from {"kind": ..., ...}. Raises CannotSend.

    kinds: text {text}, button_reply and list_reply {to, id, title?, description?}, image {caption?, mime_type?,
    base64?}, voice {text?: what it says, seconds?}, location {latitude, longitude, name?, address?}, contacts
    {own?: true}, reaction {to, emoji}, unsupported, and raw {content}: whatever stands in `content`.
    """
    kind = request.get("kind", "text")
    try:
        return _WRITERS[kind](request, chat, media)
    except KeyError as error:
        raise CannotSend(f"{kind!r} cannot be sent without {error}.") from None
    except MediaRefused as error:
        raise CannotSend(str(error)) from None


def _text(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    body = request["text"]
    if not isinstance(body, str) or not body.strip() or len(body) > TEXT_MAX:
        raise CannotSend(f"A message has between 1 and {TEXT_MAX} characters.")
    return {"type": "text", "text": {"body": body}}


def _tap(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    """On a button or a row, as it was offered; only rows have descriptions."""
    kind, shown = request["kind"], _offered(request, chat)
    reply = {"id": request["id"], "title": request.get("title") or shown.get("title", "")}
    description = request.get("description") or shown.get("description")
    if description and kind == "list_reply":
        reply["description"] = description
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _offered(request: dict[str, Any], chat: Chat) -> dict[str, Any]:
    """The button or row of that id in the message that was tapped, and a note there that it was tapped."""
    message = chat.by_wamid.get(request.get("to", ""))
    if message is None:
        return {}
    if request["id"] not in message.chosen:
        message.chosen.append(request["id"])
    action = message.content.get("interactive", {}).get("action", {})
    replies = [button["reply"] for button in action.get("buttons", [])]
    replies += [row for section in action.get("sections", []) for row in section["rows"]]
    return next((reply for reply in replies if reply["id"] == request["id"]), {})


def _image(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    if request.get("base64"):
        stored = media.add(*picture_from(request.get("mime_type", ""), request["base64"]))
    else:
        stored = media.add("image/png", sample_picture())
    content = _media(stored)
    if request.get("caption"):
        content["caption"] = str(request["caption"])[:1024]
    return {"type": "image", "image": content}


def _voice(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    stored = media.add(VOICE_TYPE, voice_note(str(request.get("text") or ""), float(request.get("seconds") or 7)))
    return {"type": "audio", "audio": {**_media(stored), "voice": True}}


def _media(stored: Media) -> dict[str, Any]:
    return {"id": stored.id, "mime_type": stored.mime_type, "sha256": stored.sha256}


def _location(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    place = {key: request[key] for key in ("name", "address") if request.get(key)}
    where = {"latitude": request["latitude"], "longitude": request["longitude"], **place}
    return {"type": "location", "location": where}


def _contacts(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    """Somebody's card; `own` shares one's own number, as the answer to a request for it."""
    own = bool(request.get("own"))
    phone = request.get("phone") or chat.customer.phone or "+919812300045"
    name = chat.customer.name if own else request.get("name", "Asha Rao")
    first, _, last = name.partition(" ")
    card = {
        "name": {"formatted_name": name, "first_name": first, **({"last_name": last} if last else {})},
        "phones": [{"phone": phone, "wa_id": phone.lstrip("+"), "type": "CELL"}],
    }
    content: dict[str, Any] = {"type": "contacts", "contacts": [card]}
    if own:
        content["origin"] = "contact_request"
        card["vcard"] = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nTEL;type=CELL:{phone}\nEND:VCARD"
    return content


def _reaction(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    emoji = request.get("emoji", "")
    reaction = {"message_id": request["to"], **({"emoji": emoji} if emoji else {})}
    return {"type": "reaction", "reaction": reaction}


def _unsupported(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    details = {"details": "Message type is currently not supported."}
    error = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown", "error_data": details}
    return {"type": "unsupported", "errors": [error], "unsupported": {"type": request.get("what", "poll")}}


def _raw(request: dict[str, Any], chat: Chat, media: MediaStore) -> dict[str, Any]:
    content = request["content"]
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise CannotSend("raw content is an object with a type.")
    return content


_WRITERS = {
    "text": _text,
    "button_reply": _tap,
    "list_reply": _tap,
    "image": _image,
    "voice": _voice,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "unsupported": _unsupported,
    "raw": _raw,
}
