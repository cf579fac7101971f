"""A Rasa tracker's events as lines that a person can read."""

from collections.abc import Iterable, Mapping
from typing import Any

MAX_LINES = 120
Line = tuple[float, str, str]


def transcript(events: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """(epoch seconds, "customer" or "assistant", text) of the latest lines, oldest first."""
    lines: list[Line] = []
    for event in events:
        if event.get("event") == "rewind":
            _take_back(lines)
        author = {"user": "customer", "bot": "assistant"}.get(str(event.get("event")))
        if author is None:
            continue
        text = _customers(event) if author == "customer" else _assistants(event)
        if text:
            lines.append((float(event.get("timestamp") or 0.0), author, text))
    return tuple(lines[-MAX_LINES:])


def _take_back(lines: list[Line]) -> None:
    """Rasa's rewind: the customer's latest message did not happen; it comes again with its meaning."""
    while lines and lines.pop()[1] != "customer":
        pass


def _customers(event: Mapping[str, Any]) -> str:
    metadata = event.get("metadata") or {}
    typed = str(metadata.get("typed") or "").strip()
    text = str(event.get("text") or "")
    if not typed and not text.startswith("/"):
        typed = text.strip()
    attached = [f"[{part.get('kind') or 'file'}]" for part in metadata.get("media") or [] if isinstance(part, Mapping)]
    if not typed and not attached and text.startswith("/"):
        attached = [f"[{metadata.get('kind') or text[1:].partition('{')[0]}]"]
    return " ".join([part for part in [typed, *attached] if part])


def _assistants(event: Mapping[str, Any]) -> str:
    data = event.get("data") or {}
    titles = [str(button.get("title")) for button in data.get("buttons") or [] if isinstance(button, Mapping)]
    text = str(event.get("text") or "").strip()
    if titles:
        text += "\n" + " ".join(f"[{title}]" for title in titles)
    if not text and data.get("custom"):
        text = "[attachment]"
    return text
