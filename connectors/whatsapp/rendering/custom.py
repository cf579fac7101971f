"""Rasa's custom responses for what only WhatsApp has.

    custom: {type: text, body, preview_url}
    custom: {type: image | video | document | audio | sticker, link | id, caption, filename}
    custom: {type: location, latitude, longitude, name, address}
    custom: {type: cta_url, body, button, url, header, footer}
    custom: {type: list, body, button, header, footer,
             rows: [{title, payload, description}] | sections: [{title, rows}]}
    custom: {type: template, name, language, parameters: [words] | components: [...]}
    custom: {type: contact_request, body}

A `text` beside `custom` in the same response serves as the body or caption where the custom part has none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.whatsapp.rendering import bodies
from connectors.whatsapp.rendering.bodies import Choice, Section, Shaped
from connectors.whatsapp.rendering.text import to_whatsapp
from lenient_json import clean, number, objects, text

_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")

MakeChoice = Callable[[Mapping[str, Any]], Choice | None]


class BadCustomResponse(ValueError):
    """A custom response lacks a field that its type needs; the message says which."""


def shape_custom(custom: Mapping[str, Any], words: str, label: str, make_choice: MakeChoice) -> list[Shaped]:
    """The messages of a custom response. Raises BadCustomResponse.

    `words` is the response's text (already in WhatsApp's notation), `label` the default of a list's button, and
    `make_choice` turns {title, payload, description} into a Choice with a signed id.
    """
    kind = custom.get("type")
    if kind in bodies.MEDIA:
        return _media(str(kind), custom, words)
    if kind == "list":
        return _list(custom, words, label, make_choice)
    builder = _BUILDERS.get(kind) if isinstance(kind, str) else None
    if builder is None:
        raise BadCustomResponse(f"unknown type {text(kind, 40)!r}")
    return builder(custom, words)


def words_of(custom: Mapping[str, Any]) -> str:
    """The custom response's own words in WhatsApp's notation, or ''."""
    found = next((custom[name] for name in ("body", "text", "caption") if isinstance(custom.get(name), str)), "")
    return to_whatsapp(clean(found)).strip()


def media_source(custom: Mapping[str, Any]) -> dict[str, str]:
    """{"link"} or {"id"} of a media object. Raises BadCustomResponse."""
    link = custom.get("link") or custom.get("url") or custom.get("src")
    if isinstance(link, str) and _WEB_ADDRESS.fullmatch(link.strip()):
        return {"link": link.strip()}
    media_id = custom.get("id")
    if isinstance(media_id, (str, int)) and re.fullmatch(r"[0-9A-Za-z_-]{1,128}", str(media_id)):
        return {"id": str(media_id)}
    raise BadCustomResponse("link is not a web address")


def _body(custom: Mapping[str, Any], words: str) -> str:
    body = words_of(custom) or words
    if not body.strip():
        raise BadCustomResponse("body is missing")
    return body


def _text(custom: Mapping[str, Any], words: str) -> list[Shaped]:
    preview = custom.get("preview_url")
    return bodies.texts(_body(custom, words), preview if isinstance(preview, bool) else None)


def _media(kind: str, custom: Mapping[str, Any], words: str) -> list[Shaped]:
    return bodies.media(kind, media_source(custom), words_of(custom) or words, text(custom.get("filename"), 240))


def _location(custom: Mapping[str, Any], words: str) -> list[Shaped]:
    latitude, longitude = number(custom.get("latitude")), number(custom.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        raise BadCustomResponse("latitude and longitude are missing or out of range")
    place = bodies.location(latitude, longitude, text(custom.get("name"), 500), text(custom.get("address"), 500))
    return [*bodies.texts(words), *place]


def _cta_url(custom: Mapping[str, Any], words: str) -> list[Shaped]:
    label = text(custom.get("button") or custom.get("display_text"), 200)
    if not label.strip():
        raise BadCustomResponse("button is missing")
    url = media_source({"link": custom.get("url")})["link"]
    header, footer_text = text(custom.get("header"), 500), text(custom.get("footer"), 500)
    return bodies.link_button(_body(custom, words), label, url, header, footer_text)


def _list(custom: Mapping[str, Any], words: str, label: str, make_choice: MakeChoice) -> list[Shaped]:
    given = objects(custom.get("sections")) or [{"rows": custom.get("rows")}]
    sections = [
        Section(text(section.get("title"), 200), tuple(filter(None, map(make_choice, objects(section.get("rows"))))))
        for section in given
    ]
    sections = _without_repeats(sections)
    choices = [row for section in sections for row in section.rows]
    if not choices:
        raise BadCustomResponse("rows are missing")
    if len(choices) > bodies.ROWS:
        return bodies.numbered(words_of(custom) or words, choices)
    label = text(custom.get("button"), 200).strip() or label
    header, footer_text = text(custom.get("header"), 500), text(custom.get("footer"), 500)
    return bodies.rows(_body(custom, words), label, sections, header, footer_text)


def _without_repeats(sections: Sequence[Section]) -> list[Section]:
    """The sections less rows with an id seen before (WhatsApp refuses equal ids), and less empty sections."""
    seen: set[str] = set()
    kept = []
    for section in sections:
        rows = {row.id: row for row in section.rows if row.id not in seen}
        seen |= rows.keys()
        if rows:
            kept.append(Section(section.title, tuple(rows.values())))
    return kept


def _template(custom: Mapping[str, Any], words: str) -> list[Shaped]:
    name, language = text(custom.get("name"), 600), custom.get("language")
    if isinstance(language, dict):
        language = language.get("code")
    if not _TEMPLATE_NAME.fullmatch(name) or not _LANGUAGE.fullmatch(text(language, 20)):
        raise BadCustomResponse("name or language is missing")
    components = [dict(part) for part in objects(custom.get("components")) if isinstance(part.get("type"), str)]
    parameters = custom.get("parameters")
    if isinstance(parameters, list) and parameters:
        # Meta refuses line breaks, tabs and runs of blanks inside parameters.
        values = [{"type": "text", "text": " ".join(text(value, 1024).split()) or "-"} for value in parameters]
        components.append({"type": "body", "parameters": values})
    return bodies.template(name, text(language, 20), components)


def _contact_request(custom: Mapping[str, Any], words: str) -> list[Shaped]:
    return bodies.contact_request(_body(custom, words))


_BUILDERS: dict[str, Callable[[Mapping[str, Any], str], list[Shaped]]] = {
    "text": _text,
    "location": _location,
    "cta_url": _cta_url,
    "template": _template,
    "contact_request": _contact_request,
}
