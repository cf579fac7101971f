"""What a customer's message says, by its type.

Each reader takes the whole message object and gives its Content. Messages without words become payloads of
their own, so that the dialogue can answer them; `text=None` means that the message gives no turn. A type that is
missing here (Meta adds some every year) is answered as unsupported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.whatsapp.webhook.payload_ids import guard_typed_slash
from lenient_json import (
    as_int,
    as_mapping,
    clean,
    drop_empty,
    identifier,
    number,
    objects,
    parsed,
    text,
)

# NLU gains nothing from more, and its cost grows with the length.
MAX_NLU_CHARS = 4096
MAX_ORDER_ITEMS = 30
MAX_FLOW_CHARS = 20_000
SENTENCE_WORDS = 3  # a form's field with as many holds words of the customer's own

CALL_PERMISSION = "call_permission"

MEDIA_KINDS = ("image", "video", "document", "sticker", "audio")


@dataclass(frozen=True)
class Content:
    """A message's words and meaning.

    `text` is what the dialogue reads (None: no turn), `typed` what the customer wrote or tapped, in full, `reply_id`
    the id of a tapped button or row (a payload only if our signature verifies), `extra` what the metadata keeps.
    """

    kind: str
    text: str | None
    typed: str = ""
    reply_id: str | None = None
    media: tuple[dict[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_content(message: Mapping[str, Any]) -> Content:
    kind = message.get("type")
    if not isinstance(kind, str):
        kind = next((known for known in _READERS if isinstance(message.get(known), dict)), "")
    reader = _call_permission if kind.startswith(CALL_PERMISSION) else _READERS.get(kind)
    return reader(message, kind) if reader else _unsupported(message, kind)


def typed_turn(words: str) -> str:
    """What the dialogue reads of typed words: bounded, and never a payload."""
    return guard_typed_slash(words.strip())[:MAX_NLU_CHARS]


def _text(message: Mapping[str, Any], kind: str) -> Content:
    words = text(as_mapping(message.get("text")).get("body"))
    if not words.strip():
        return _unsupported(message, kind)
    return Content(kind, typed_turn(words), words)


def _media(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get(kind))
    if kind == "audio":
        kind = "voice" if part.get("voice") is True else "audio"
    caption = text(part.get("caption"))
    attachment = drop_empty(
        {
            "id": identifier(part.get("id")),
            "mime_type": text(part.get("mime_type"), 100),
            "kind": kind,
            "filename": text(part.get("filename"), 240),
        }
    )
    wordless = "/send_voice_note" if kind in ("voice", "audio") else "/send_media"
    turn = typed_turn(caption) if caption.strip() else wordless
    return Content(kind, turn, caption, media=(attachment,))


def _interactive(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("interactive"))
    shape = part.get("type")
    if any(str(name).startswith(CALL_PERMISSION) for name in (shape, *part)):
        return _call_permission(message, kind)
    if shape not in ("button_reply", "list_reply", "nfm_reply"):
        shape = next((key for key in ("button_reply", "list_reply", "nfm_reply") if key in part), "")
    if shape == "nfm_reply":
        return _flow_reply(as_mapping(part.get("nfm_reply")))
    if not shape:
        return _unsupported(message, text(part.get("type"), 60) or kind)
    reply = as_mapping(part.get(shape))
    return _reply(shape, text(reply.get("id"), 512), text(reply.get("title"), 512), message)


def _button(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("button"))
    return _reply("template_button", text(part.get("payload"), 512), text(part.get("text"), 512), message)


def _reply(kind: str, reply_id: str, title: str, message: Mapping[str, Any]) -> Content:
    words = title if title.strip() else reply_id
    if not words.strip():
        return _unsupported(message, kind)
    return Content(kind, typed_turn(words), words, reply_id=reply_id or None)


def _flow_reply(part: Mapping[str, Any]) -> Content:
    """A submitted WhatsApp Flow: a form. `response_json` is a string that need not hold JSON.

    What the customer wrote into it in words of their own is a message, with the numbers beside it; choices are not.
    """
    answers: Any = part.get("response_json")
    if isinstance(answers, str):
        answers = parsed(clean(answers[:MAX_FLOW_CHARS]))
    fields = {text(key, 60): text(value, 500) for key, value in list(as_mapping(answers).items())[:50]}
    fields.pop("flow_token", None)
    given = drop_empty(fields)
    extra = {"flow": drop_empty({"name": text(part.get("name"), 60), "answers": given})}
    # Whoever reads the log or the ticket wants to see what was filled in.
    words = "\n".join(f"{name}: {value}" for name, value in given.items()) or text(part.get("body"), 1024)
    said = [value for value in given.values() if sum(map(_is_word, value.split())) >= SENTENCE_WORDS]
    numbers = [value for value in given.values() if value not in said and any(map(str.isdigit, value))]
    return Content("flow_reply", typed_turn("\n".join([*numbers, *said])) if said else "/send_flow", words, extra=extra)


def _is_word(part: str) -> bool:
    """Whether it has letters: "10:00 - 12:00" is a choice, no sentence."""
    return any(map(str.isalpha, part))


def _call_permission(message: Mapping[str, Any], kind: str) -> Content:
    """The customer allowed or refused calls, or the permission ran out: nothing was said."""
    return Content(CALL_PERMISSION, None)


def _location(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("location"))
    place: dict[str, Any] = {name: number(part.get(name)) for name in ("latitude", "longitude")}
    place.update({name: text(part.get(name), 500) for name in ("name", "address", "url")})
    return Content(kind, "/send_location", text(part.get("name"), 500), extra={"location": drop_empty(place)})


def _contacts(message: Mapping[str, Any], kind: str) -> Content:
    # Other people's names and numbers stay out of the metadata: nothing needs them.
    return Content(kind, "/send_contact", extra={"contacts": len(objects(message.get("contacts")))})


def _order(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("order"))
    items = [
        drop_empty(
            {
                "product": text(item.get("product_retailer_id"), 120),
                "quantity": as_int(item.get("quantity")),
                "price": text(item.get("item_price"), 30),
                "currency": text(item.get("currency"), 10),
            }
        )
        for item in objects(part.get("product_items"))[:MAX_ORDER_ITEMS]
    ]
    cart = drop_empty({"catalog": text(part.get("catalog_id"), 60), "items": items})
    wanted = [f"{item.get('quantity', 1)} × {item['product']}" for item in items if "product" in item]
    return Content(kind, "/send_cart", "\n".join(filter(None, [text(part.get("text")), *wanted])), extra={"cart": cart})


def _reaction(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("reaction")) or as_mapping(message.get("unreaction"))
    emoji = text(part.get("emoji"), 30)
    extra = {"reaction": {"wamid": identifier(part.get("message_id")), "removed": not emoji}}
    return Content("reaction", None, emoji, extra=extra)


def _edit(message: Mapping[str, Any], kind: str) -> Content:
    part = as_mapping(message.get("edit"))
    after = as_mapping(part.get("message"))
    new = read_content(after) if after.get("type") in ("text", *MEDIA_KINDS) else Content(kind, None)
    extra = {"edits": identifier(part.get("original_message_id"))}
    return Content(kind, None, new.typed, media=new.media, extra=extra)


def _revoke(message: Mapping[str, Any], kind: str) -> Content:
    original = identifier(as_mapping(message.get("revoke")).get("original_message_id"))
    return Content(kind, None, extra={"revokes": original})


def _system(message: Mapping[str, Any], kind: str) -> Content:
    return Content(kind, None, extra={"system": text(as_mapping(message.get("system")).get("type"), 60)})


def _welcome(message: Mapping[str, Any], kind: str) -> Content:
    return Content(kind, "/greet")


def _unsupported(message: Mapping[str, Any], kind: str) -> Content:
    codes = [code for code in (as_int(error.get("code")) for error in objects(message.get("errors"))) if code]
    said = text(as_mapping(message.get("unsupported")).get("type"), 60) or kind[:60]
    extra = drop_empty({"unsupported": clean(said), "error_codes": codes[:5]})
    return Content("unsupported", "/send_unsupported", extra=extra)


_READERS: dict[str, Callable[[Mapping[str, Any], str], Content]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _button,
    **dict.fromkeys(MEDIA_KINDS, _media),
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "reaction": _reaction,
    "unreaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "request_welcome": _welcome,
    "unsupported": _unsupported,
}
