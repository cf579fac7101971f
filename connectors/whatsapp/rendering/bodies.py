"""Graph API message bodies that keep every limit of Meta's, whatever goes in.

Each builder gives `Shaped` messages without addressee. What does not fit is sent differently (a caption as a text of
its own, a long body as text before the buttons) or shortened with an ellipsis; nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.whatsapp.rendering.text import CODE, URL, close_code, shorten, split_text, unique_titles
from lenient_json import clean

TEXT_CHARS = 4096
BODY_CHARS = 1024  # interactive bodies and captions; Meta's pages disagree about lists (4096), its schema does not
HEADER_CHARS = 60
BUTTONS, BUTTON_TITLE_CHARS = 3, 20
ROWS, ROW_TITLE_CHARS, ROW_DESCRIPTION_CHARS = 10, 24, 72
SECTION_TITLE_CHARS = 24
NAME_CHARS = 240

WITH_CAPTION = ("image", "video", "document")
MEDIA = (*WITH_CAPTION, "audio", "sticker")


@dataclass(frozen=True)
class Shaped:
    """A Graph body without addressee, and its words as the log shows them."""

    body: dict[str, Any]
    text: str

    def quoting(self, wamid: str) -> Shaped:
        """The same as a reply to the message `wamid`."""
        return replace(self, body={**self.body, "context": {"message_id": wamid}})


@dataclass(frozen=True)
class Choice:
    """Something to tap: its title in full, the id that comes back, and an optional second line (lists only)."""

    title: str
    id: str
    description: str = ""


@dataclass(frozen=True)
class Section:
    """Rows of a list under a title (which may be empty in a list of one section)."""

    title: str
    rows: tuple[Choice, ...]


def _message(kind: str, content: Mapping[str, Any], text: str) -> Shaped:
    body = {"messaging_product": "whatsapp", "recipient_type": "individual", "type": kind, kind: dict(content)}
    return Shaped(body, text)


def texts(text: str, preview_url: bool | None = None) -> list[Shaped]:
    """One text message, or several where it exceeds 4096 characters; none for a blank text."""
    shaped = []
    text = clean(text)
    for part in close_code(split_text(text, TEXT_CHARS - (2 * len(CODE) if CODE in text else 0))):
        has_link = URL.search(part) is not None
        preview = {"preview_url": True} if has_link and preview_url is not False else {}
        shaped.append(_message("text", {**preview, "body": part}, part))
    return shaped


def headed(body: Mapping[str, Any], words: str) -> dict[str, Any] | None:
    """The same message with words above its own text; None where it has none or they do not fit."""
    kind, words = str(body["type"]), clean(words).strip()
    content = dict(body[kind])
    if kind == "text" and len(whole := f"{words}\n\n{content['body']}") <= TEXT_CHARS:
        return {**body, kind: {**content, "body": whole}}
    if kind == "interactive" and len(whole := f"{words}\n\n{content['body']['text']}") <= BODY_CHARS:
        return {**body, kind: {**content, "body": {"text": whole}}}
    return None


def media(kind: str, source: Mapping[str, str], caption: str = "", filename: str = "") -> list[Shaped]:
    """An image, video, document, audio or sticker; `source` is {"link": url} or {"id": media id}."""
    caption = clean(caption).strip()
    where = source.get("link") or source.get("id") or ""
    before: list[Shaped] = []
    content: dict[str, Any] = dict(source)
    if caption and (kind not in WITH_CAPTION or len(caption) > BODY_CHARS):
        before, caption = texts(caption), ""
    if caption:
        content["caption"] = caption
    if kind == "document" and filename.strip():
        content["filename"] = shorten(clean(filename), NAME_CHARS)
    words = f"{caption}\n[{kind}] {where}".strip()
    return [*before, _message(kind, content, words)]


def _interactive(kind: str, text: str, action: Mapping[str, Any], words: str, **parts: Any) -> list[Shaped]:
    """Text that exceeds the body goes before it; the words that end the text stay with what is tapped."""
    text = clean(text).strip()
    body = split_text(text, BODY_CHARS)[-1]
    before = texts(text[: len(text) - len(body)])
    frame = {name: part for name, part in parts.items() if part}
    content = {"type": kind, "body": {"text": body}, **frame, "action": dict(action)}
    return [*before, _message("interactive", content, f"{body}\n{words}".strip())]


def text_header(text: str) -> dict[str, Any] | None:
    """A header line above an interactive body, or None for no words."""
    return {"type": "text", "text": shorten(clean(text), HEADER_CHARS)} if text.strip() else None


def footer(text: str) -> dict[str, Any] | None:
    """Small print under an interactive body, or None for no words."""
    return {"text": shorten(clean(text), HEADER_CHARS)} if text.strip() else None


def buttons(
    text: str, choices: Sequence[Choice], header: Mapping[str, Any] | None = None, footer_text: str = ""
) -> list[Shaped]:
    """One to three reply buttons under `text`."""
    titles = unique_titles([clean(choice.title) for choice in choices], BUTTON_TITLE_CHARS)
    action = {
        "buttons": [
            {"type": "reply", "reply": {"id": choice.id, "title": title}}
            for choice, title in zip(choices, titles, strict=True)
        ]
    }
    return _interactive(
        "button", text, action, _as_words(choices), header=header, footer=footer(footer_text)
    )


def rows(
    text: str, label: str, sections: Sequence[Section], header: str = "", footer_text: str = ""
) -> list[Shaped]:
    """A list of up to ten rows in all, opened by a button that says `label`."""
    if len(sections) > 1 and not all(section.title.strip() for section in sections):
        sections = [Section("", tuple(row for section in sections for row in section.rows))]
    choices = [row for section in sections for row in section.rows]
    titles = iter(unique_titles([clean(row.title) for row in choices], ROW_TITLE_CHARS))
    shaped_sections = []
    for section in sections:
        shaped = {"rows": [_row(row, next(titles)) for row in section.rows]}
        title = shorten(clean(section.title), SECTION_TITLE_CHARS)
        shaped_sections.append({"title": title, **shaped} if title else shaped)
    action = {"button": shorten(clean(label), BUTTON_TITLE_CHARS), "sections": shaped_sections}
    return _interactive(
        "list", text, action, _as_words(choices), header=text_header(header), footer=footer(footer_text)
    )


def _row(row: Choice, title: str) -> dict[str, str]:
    whole = " ".join(clean(row.title).split())
    description = shorten(clean(row.description) or (whole if title != whole else ""), ROW_DESCRIPTION_CHARS)
    shaped = {"id": row.id, "title": title}
    return {**shaped, "description": description} if description else shaped


def numbered(text: str, choices: Sequence[Choice]) -> list[Shaped]:
    """More choices than a list holds, as text. A typed number then is plain text to the dialogue."""
    lines = [f"{number}. {' '.join(choice.title.split())}" for number, choice in enumerate(choices, 1)]
    return texts("\n\n".join(part for part in (text.strip(), "\n".join(lines)) if part))


def link_button(text: str, label: str, url: str, header: str = "", footer_text: str = "") -> list[Shaped]:
    """A button that opens `url`."""
    parameters = {"display_text": shorten(clean(label), BUTTON_TITLE_CHARS), "url": url}
    action = {"name": "cta_url", "parameters": parameters}
    words = f"[{parameters['display_text']}] {url}"
    return _interactive("cta_url", text, action, words, header=text_header(header), footer=footer(footer_text))


def contact_request(text: str) -> list[Shaped]:
    """A button with which the customer shares their own phone number."""
    return _interactive("request_contact_info", text, {"name": "request_contact_info"}, "[contact request]")


def location(latitude: float, longitude: float, name: str = "", address: str = "") -> list[Shaped]:
    """A place on the map."""
    content: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
    if name.strip():
        content["name"] = shorten(clean(name), NAME_CHARS)
    if name.strip() and address.strip():
        content["address"] = shorten(clean(address), NAME_CHARS)
    return [_message("location", content, f"[location] {name} {address}".strip())]


def template(name: str, language: str, components: Sequence[Mapping[str, Any]]) -> list[Shaped]:
    """An approved template, the only thing that may be sent outside the 24-hour window."""
    content: dict[str, Any] = {"name": name, "language": {"code": language}}
    if components:
        content["components"] = [dict(component) for component in components]
    return [_message("template", content, f"[template {name}]")]


def _as_words(choices: Sequence[Choice]) -> str:
    return "\n".join(f"[{' '.join(choice.title.split())}]" for choice in choices)
