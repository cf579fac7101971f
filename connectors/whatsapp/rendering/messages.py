"""A Rasa response as WhatsApp messages: as few as possible, all within Meta's limits. Pure.

Up to three buttons become reply buttons, up to ten a list, more a numbered text. Text and image travel together
where WhatsApp can carry both. A text is never cut at blank lines: WhatsApp does not keep the order of several messages
and allows one customer only ten a minute.
"""

import logging
import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connectors.whatsapp.rendering import bodies
from connectors.whatsapp.rendering.bodies import Choice, Section, Shaped
from connectors.whatsapp.rendering.custom import BadCustomResponse, media_source, shape_custom, words_of
from connectors.whatsapp.rendering.text import to_whatsapp
from connectors.whatsapp.webhook.payload_ids import (
    MAX_ID_CHARS,
    PayloadSigner,
    PayloadTooLong,
    guard_typed_slash,
)
from lenient_json import as_mapping, clean, objects, text

__all__ = ["MessageShaper", "PayloadSigner", "PayloadTooLong", "Shaped", "guard_typed_slash", "problems"]

log = logging.getLogger(__name__)

LIST_LABEL = "Choose"
MAX_ELEMENTS = 10
# A last line such as "Track it: https://…", the only link of a text that a button's message can hold.
_LABELLED_LINK = re.compile(
    rf"(?P<words>(?:(?!https?://).){{1,{bodies.BODY_CHARS}}}?)\n+"
    rf"(?P<label>[^\n:]{{1,{bodies.BUTTON_TITLE_CHARS}}}): (?P<url>https?://\S+)", re.S,
)  # fmt: skip


class MessageShaper:
    """Shapes responses for one business; button ids are signed for the customer who gets them."""

    def __init__(self, signer: PayloadSigner, list_label: str = LIST_LABEL) -> None:
        self._signer = signer
        self._list_label = list_label

    def shape(self, response: Mapping[str, Any], customer: str, quote: str | None = None) -> list[Shaped]:
        """The messages for one Rasa response, possibly none (a response without content).

        `response` has Rasa's keys (text, buttons, quick_replies, image, attachment, elements, custom) and may have
        `list_button`, the label of a list. With `quote` (a wamid) the first message is a reply to that message.
        """
        shaped = self._shape(response, customer)
        for element in objects(response.get("elements"))[:MAX_ELEMENTS]:
            shaped += self._shape(_element(element), customer)
        if quote and shaped:
            shaped[0] = shaped[0].quoting(quote)
        return shaped

    def _shape(self, response: Mapping[str, Any], customer: str) -> list[Shaped]:
        words = to_whatsapp(text(response.get("text"))).strip()
        customs = objects(response.get("custom"))
        if customs:
            before = self._shape({**response, "custom": None}, customer) if _has_more(response) else []
            after = self._customs(customs, "" if before else words, response, customer)
            return before + after if after else before or bodies.texts(words)
        choices = self._choices(response, customer)
        links = [item for item in _buttons(response) if isinstance(item.get("url"), str)]
        attachments = _attachments(response)
        if choices:
            words = "\n".join([words, *map(_link_line, links)]).strip()
            return self._with_choices(words, choices, attachments, response)
        if len(links) == 1 and words and not attachments:
            return self._link(words, links[0])
        labelled = None if links or attachments else _LABELLED_LINK.fullmatch(words)
        if labelled:
            return self._link(labelled["words"], {"title": labelled["label"], "url": labelled["url"]})
        words = "\n".join([words, *map(_link_line, links)]).strip()
        return _with_attachments(words, attachments)

    def _customs(
        self, customs: Sequence[Mapping[str, Any]], words: str, response: Mapping[str, Any], customer: str
    ) -> list[Shaped]:
        shaped: list[Shaped] = []
        label = text(response.get("list_button"), 200).strip() or self._list_label
        for custom in customs:
            given, words = words, ""
            try:
                shaped += shape_custom(custom, given, label, lambda row: self._choice(row, customer))
            except BadCustomResponse as problem:
                log.error("whatsapp.response.invalid custom=%s problem=%s", text(custom.get("type"), 40), problem)
                shaped += bodies.texts(words_of(custom) or given)
        return shaped

    def _with_choices(
        self,
        words: str,
        choices: list[Choice],
        attachments: list[tuple[str, dict[str, str]]],
        response: Mapping[str, Any],
    ) -> list[Shaped]:
        label = text(response.get("list_button"), 200).strip() or self._list_label
        if len(choices) <= bodies.BUTTONS:
            header = None
            if attachments and attachments[0][0] in bodies.WITH_CAPTION:
                kind, source = attachments.pop(0)
                header = {"type": kind, kind: source}
            return [*_with_attachments("", attachments), *bodies.buttons(words or label, choices, header)]
        before = _with_attachments("", attachments)
        if len(choices) <= bodies.ROWS:
            return [*before, *bodies.rows(words or label, label, [Section("", tuple(choices))])]
        return [*before, *bodies.numbered(words, choices)]

    def _link(self, words: str, button: Mapping[str, Any]) -> list[Shaped]:
        try:
            url = media_source({"link": button["url"]})["link"]
        except BadCustomResponse:
            return bodies.texts(f"{words}\n{_link_line(button)}")
        return bodies.link_button(words, text(button.get("title"), 200).strip() or url, url)

    def _choices(self, response: Mapping[str, Any], customer: str) -> list[Choice]:
        found: dict[str, Choice] = {}
        for item in _buttons(response):
            choice = None if isinstance(item.get("url"), str) else self._choice(item, customer)
            if choice:
                # WhatsApp refuses equal ids; two titles with the same payload mean the same.
                found.setdefault(choice.id, choice)
        return list(found.values())

    def _choice(self, item: Mapping[str, Any], customer: str) -> Choice | None:
        payload = text(item.get("payload")).strip()
        title = " ".join((text(item.get("title"), 1000).strip() or payload).split())
        if not title:
            return None
        try:
            reply_id = self._signer.sign_payload(customer, payload or title)
        except PayloadTooLong as error:
            # Without our signature a tap counts as its title, as if it had been typed.
            log.error("whatsapp.payload.too_long chars=%d error=%s", len(payload), error)
            reply_id = title[:MAX_ID_CHARS].strip()
        return Choice(title, reply_id, text(item.get("description"), 1000).strip())


def problems(response: Mapping[str, Any]) -> list[str]:
    """What of a response in the domain WhatsApp would show differently from how it is written; for validation."""
    buttons = _buttons(response)
    limit = bodies.BUTTON_TITLE_CHARS if len(buttons) <= bodies.BUTTONS else bodies.ROW_TITLE_CHARS
    titles = [text(item.get("title")) for item in buttons]
    found = [f"title {title!r} exceeds {limit} characters" for title in titles if len(title) > limit]
    found += [f"title {title!r} is used twice" for title in {t for t in titles if titles.count(t) > 1}]
    for item in buttons:
        if len(text(item.get("payload"))) > PayloadSigner.max_payload_chars:
            found.append(f"payload of {text(item.get('title'), 40)!r} exceeds {PayloadSigner.max_payload_chars}")
    if len(buttons) > bodies.ROWS:
        found.append(f"{len(buttons)} buttons exceed a list's {bodies.ROWS} rows")
    if buttons and len(text(response.get("text"))) > bodies.BODY_CHARS:
        found.append(f"text beside buttons exceeds {bodies.BODY_CHARS} characters")
    return found


def _buttons(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return objects(response.get("quick_replies")) + objects(response.get("buttons"))


def _has_more(response: Mapping[str, Any]) -> bool:
    """Whether the response holds more than text beside its custom part."""
    return bool(_buttons(response) or response.get("image") or response.get("attachment"))


def _link_line(button: Mapping[str, Any]) -> str:
    return f"{text(button.get('title'), 200)}: {text(button.get('url'), 2000)}".removeprefix(": ")


def _element(element: Mapping[str, Any]) -> dict[str, Any]:
    title, subtitle = clean(text(element.get("title"), 500)), text(element.get("subtitle"), 3000)
    lines = [f"*{title}*" if title else "", subtitle]
    return {
        "text": "\n".join(line for line in lines if line),
        "image": element.get("image_url"),
        "buttons": element.get("buttons"),
    }


def _attachments(response: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """(kind, source) of image and attachment. What is not a web address is logged and left out."""
    found: list[tuple[str, dict[str, str]]] = []
    for name in ("image", "attachment"):
        value = response.get(name)
        if not value:
            continue
        part = as_mapping(as_mapping(value).get("payload")) or as_mapping(value) or {"link": value}
        try:
            source = media_source(part)
        except BadCustomResponse as problem:
            log.error("whatsapp.response.invalid part=%s problem=%s", name, problem)
            continue
        said = "image" if name == "image" else as_mapping(value).get("type")
        found.append((said if said in bodies.MEDIA else _kind_of(source.get("link", "")), source))
    return found


def _kind_of(link: str) -> str:
    mime_type = mimetypes.guess_type(urlsplit(link).path)[0] or ""
    if mime_type in ("image/jpeg", "image/png"):
        return "image"
    family = mime_type.partition("/")[0]
    return family if family in ("video", "audio") else "document"


def _with_attachments(words: str, attachments: Sequence[tuple[str, dict[str, str]]]) -> list[Shaped]:
    """Text with attachments: as the caption of the first that has one."""
    shaped: list[Shaped] = []
    for kind, source in attachments:
        caption, words = (words, "") if kind in bodies.WITH_CAPTION else ("", words)
        filename = urlsplit(source.get("link", "")).path.rpartition("/")[2]
        shaped += bodies.media(kind, source, caption, filename)
    return [*bodies.texts(words), *shaped]
