"""An agent's comment as WhatsApp messages: the words, split where they are too long, then each file.

`payload` is that of an inbox entry `agent_comment`: `text`, `media` (links), `files` (handoff.files.uploads.Upload as
dictionaries, once somebody uploaded them), `template` (outside the customer service window).
"""

from collections.abc import Mapping
from typing import Any

from connectors.message_bus.turn import Reply
from connectors.whatsapp.rendering import bodies
from lenient_json import objects, text


def replies(payload: Mapping[str, Any]) -> list[Reply]:
    """Words and files; a comment of one picture has its words below it. Links stand in the words until files exist."""
    words, files = str(payload.get("text") or ""), [file for file in objects(payload.get("files")) if file.get("id")]
    if "files" not in payload:
        links = [str(link) for link in payload.get("media") or []]
        words = "\n".join(part for part in (words, *links) if part)
    caption = ""
    if files and files[0].get("kind") in bodies.WITH_CAPTION and 0 < len(words) <= bodies.BODY_CHARS:
        words, caption = "", words
    made = [Reply(shaped.body, shaped.text) for shaped in bodies.texts(words)]
    for number, file in enumerate(files):
        below = caption if number == 0 else ""
        kind, name = str(file["kind"]), text(file.get("filename"), bodies.NAME_CHARS)
        (shaped,) = bodies.media(kind, {"id": str(file["id"])}, below, name)
        # The words are what goes out should WhatsApp refuse the file after all.
        made.append(Reply(shaped.body, "\n".join(part for part in (below, f"{name}: {file.get('link')}") if part)))
    return made


def links(payload: Mapping[str, Any]) -> list[str]:
    """The files that could not be uploaded, each a line with its name and where it is."""
    found = [file for file in objects(payload.get("files")) if not file.get("id")]
    return [": ".join(filter(None, (text(file.get("filename"), 200), str(file.get("link"))))) for file in found]


def as_template(payload: Mapping[str, Any]) -> list[Reply]:
    """The words in the approved template that the worker chose."""
    template = payload["template"]
    words = "\n".join(part for part in (str(payload.get("text") or ""), *map(str, payload.get("media") or ())) if part)
    parameters = [{"type": "text", "text": str(parameter)} for parameter in template.get("parameters") or []]
    components = [{"type": "body", "parameters": parameters}] if parameters else []
    shaped = bodies.template(template["name"], template["language"], components)
    return [Reply(one.body, words) for one in shaped]
