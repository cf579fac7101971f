"""The part of `shop.yml` about messages that nobody asked for: `updates` and `quiet_hours`."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

EVENTS = (
    "order.confirmed", "order.shipped", "order.out_for_delivery", "order.delivered", "order.delayed", "order.cancelled",
    "refund.issued",
)  # fmt: skip
FACTS = ("order", "date", "carrier", "tracking", "brand")
MAX_CHARS = 600
_NO_TEXT = 'updates.{kind} has no text. Remedy: {{text: "Your order {{order}} is on its way."}}.'
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}:[A-Za-z]{2,3}(_[A-Za-z]{2,4})?")
_QUIET = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def updates(value: Any, languages: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Kind of event → {"text", "template": (name, language) or None}, either also as language → this.

    Raises ValueError with the remedy.
    """
    if not isinstance(value, dict):
        raise ValueError("'updates' must be lines such as order.shipped: {text: ...}.")
    return {kind: _update(kind, said, languages) for kind, said in value.items()}


def in_language(said: Any, *languages: str) -> Any:
    """A text or template in the first of these languages in which there is one, else in the one that stands first."""
    if not isinstance(said, Mapping):
        return said
    return next((said[one] for one in languages if one in said), next(iter(said.values())))


def _update(kind: Any, said: Any, languages: Sequence[str]) -> Mapping[str, Any]:
    if kind not in EVENTS:
        nearest = get_close_matches(str(kind), EVENTS, 1, 0.0)[0]
        raise ValueError(f"updates: there is no event '{kind}'. Remedy: '{nearest}', or remove it.")
    if not isinstance(said, dict) or not said.get("text"):
        raise ValueError(_NO_TEXT.format(kind=kind))
    for key in said:
        if key not in ("text", "template"):
            raise ValueError(f"updates.{kind}: there is no key '{key}'. Remedy: text or template.")
    return {name: _each(kind, said.get(name), languages, read) for name, read in
            (("text", _text), ("template", _template))}  # fmt: skip


def _each(kind: str, said: Any, languages: Sequence[str], read: Callable[[str, Any], Any]) -> Any:
    """What one value says, or each of a mapping of languages."""
    if not isinstance(said, dict):
        return read(kind, said)
    for language in said:
        if language not in languages:
            known = ", ".join(languages)
            raise ValueError(f"updates.{kind}: there is no language '{language}'. Remedy: one of {known}.")
    return {language: read(kind, one) for language, one in said.items()} or None


def _template(kind: str, template: Any) -> tuple[str, ...] | None:
    if template is not None and not _TEMPLATE.fullmatch(str(template)):
        raise ValueError(f"updates.{kind}: template {template!r} is not understood. Remedy: order_shipped:en.")
    return tuple(str(template).split(":")) if template else None


def _text(kind: str, text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(_NO_TEXT.format(kind=kind))
    for name in re.findall(r"\{(.*?)\}", text):
        if name not in FACTS:
            known = ", ".join(f"{{{fact}}}" for fact in FACTS)
            raise ValueError(f"updates.{kind}: {{{name}}} is no placeholder. Remedy: one of {known}.")
    if len(text) > MAX_CHARS:
        raise ValueError(f"updates.{kind}: the text is too long. Remedy: at most {MAX_CHARS} characters.")
    return text.strip()


def quiet_hours(value: Any) -> str:
    """'21:00-08:00'. Raises ValueError with the remedy."""
    if not _QUIET.fullmatch(str(value)):
        raise ValueError(f"'quiet_hours' {value!r} is not understood. Remedy: \"21:00-08:00\".")
    return str(value)


def quiet_minutes(hours: str) -> tuple[int, int]:
    """Begin and end of quiet hours in minutes after midnight."""
    begins, ends = ((int(clock[:2]) * 60 + int(clock[3:])) for clock in hours.split("-"))
    return begins, ends


def filled(text: str, facts: Mapping[str, str | None]) -> str:
    """The text with its facts. Sentences with a fact that is not known are left out, unless none would be left."""
    pieces = re.split(r"(?<=[.!?])(\s+)", text)
    known = [
        piece + space
        for piece, space in zip(pieces[::2], [*pieces[1::2], ""], strict=True)
        if all(facts.get(name) for name in re.findall(r"\{(.*?)\}", piece))
    ]
    said = "".join(known) or text
    for name in FACTS:
        said = said.replace(f"{{{name}}}", facts.get(name) or "…")
    return said.strip()
