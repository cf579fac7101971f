"""Limits of interactive messages: reply buttons, lists, links, and requests for a location or a contact.

Meta states two limits for the body of a list (1024 and 4096); the stricter one holds here, so that what passes is safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twin.whatsapp.fields import Broken, Fields, invalid
from twin.whatsapp.graph_errors import Refusal

BODY_MAX = 1024
HEADER_MAX = 60
FOOTER_MAX = 60
BUTTONS_MAX = 3
BUTTON_TITLE_MAX = 20
BUTTON_ID_MAX = 256
LIST_BUTTON_MAX = 20
SECTIONS_MAX = 10
ROWS_MAX = 10
SECTION_TITLE_MAX = 24
ROW_TITLE_MAX = 24
ROW_DESCRIPTION_MAX = 72
ROW_ID_MAX = 200
LINK_TITLE_MAX = 20
HEADER_KINDS = ("text", "image", "video", "document")

MediaCheck = Callable[[Fields], None]


def check_interactive(interactive: Fields, check_media: MediaCheck) -> None:
    """Refuse what breaks a limit; `check_media` is used for a header that is media."""
    interactive.only({"type", "header", "body", "footer", "action"})
    kind = interactive.text("type")
    if kind not in ACTIONS:
        raise Broken(Refusal(100, f"Param interactive['type'] must be one of {{{', '.join(sorted(ACTIONS))}}}."))
    body = interactive.child("body")
    body.only({"text"})
    body.text("text", longest=BODY_MAX, blank=False)
    footer = interactive.child("footer", required=False)
    if footer is not None:
        footer.only({"text"})
        footer.text("text", longest=FOOTER_MAX)
    header = interactive.child("header", required=False)
    if header is not None:
        _check_header(header, ("text",) if kind == "list" else HEADER_KINDS, check_media)
    ACTIONS[kind](interactive.child("action"))


def _check_header(header: Fields, kinds: tuple[str, ...], check_media: MediaCheck) -> None:
    kind = header.text("type")
    if kind not in kinds:
        raise invalid(f"interactive['header']['type'] must be one of {{{', '.join(kinds)}}}.")
    header.only({"type", "sub_text", *kinds})
    if kind == "text":
        header.text("text", longest=HEADER_MAX)
        return
    media = header.child(kind)
    media.only({"id", "link", "provider", "filename"})
    check_media(media)


def _check_buttons(action: Fields) -> None:
    action.only({"buttons"})
    replies = []
    for button in action.children("buttons", most=BUTTONS_MAX):
        button.only({"type", "reply"})
        if button.text("type") != "reply":
            raise invalid(f"{button.at('type')} must be one of {{reply}}.")
        reply = button.child("reply")
        reply.only({"id", "title"})
        title = reply.text("title", blank=False)
        if len(title) > BUTTON_TITLE_MAX:
            raise invalid(f"Button title length invalid. Min length: 1, Max length: {BUTTON_TITLE_MAX}")
        identifier = reply.text("id", longest=BUTTON_ID_MAX)
        if identifier != identifier.strip():
            raise invalid(f"{reply.at('id')} must not begin or end with a space.")
        replies.append((identifier, title))
    _refuse_twins("Button ids", [identifier for identifier, _ in replies])
    _refuse_twins("Button titles", [title for _, title in replies])


def _check_list(action: Fields) -> None:
    action.only({"button", "sections"})
    action.text("button", longest=LIST_BUTTON_MAX, blank=False)
    sections = action.children("sections", most=SECTIONS_MAX)
    identifiers = []
    for section in sections:
        section.only({"title", "rows"})
        section.text("title", longest=SECTION_TITLE_MAX, required=len(sections) > 1, empty=len(sections) == 1)
        for row in section.children("rows", most=ROWS_MAX):
            row.only({"id", "title", "description"})
            row.text("title", longest=ROW_TITLE_MAX, blank=False)
            row.text("description", longest=ROW_DESCRIPTION_MAX, required=False, empty=True)
            identifiers.append(row.text("id", longest=ROW_ID_MAX))
    if len(identifiers) > ROWS_MAX:
        raise invalid(f"Total row count exceeds max allowed count: {ROWS_MAX}")
    _refuse_twins("Row ids", identifiers)


def _refuse_twins(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise invalid(f"{what} must be unique.")


def _check_link(action: Fields) -> None:
    action.only({"name", "parameters"})
    _check_name(action, "cta_url")
    parameters = action.child("parameters")
    parameters.only({"display_text", "url"})
    parameters.text("display_text", longest=LINK_TITLE_MAX)
    if not re.match(r"https?://[^\s/]+", parameters.text("url")):
        raise invalid(f"{parameters.at('url')} is not a web address.")


def _check_name(action: Fields, name: str) -> None:
    if action.text("name") != name:
        raise invalid(f"{action.at('name')} must be one of {{{name}}}.")


ACTIONS: dict[str, Callable[[Fields], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_link,
    "location_request_message": lambda action: _check_name(action, "send_location"),
    "request_contact_info": lambda action: _check_name(action, "request_contact_info"),
}
