"""The part of `shop.yml` about messages that nobody asked for: `updates` and `quiet_hours`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

EVENTS = (
    "order.confirmed", "order.shipped", "order.out_for_delivery", "order.delivered", "order.delayed", "order.cancelled",
    "refund.issued",
)  # fmt: skip
FACTS = ("order", "date", "carrier", "tracking", "brand")
MAX_CHARS = 600
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}:[A-Za-z]{2,3}(_[A-Za-z]{2,4})?")
_QUIET = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def updates(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """Kind of event → {"text", "template": (name, language) or None}. Raises ValueError with the remedy."""
    if not isinstance(value, dict):
        raise ValueError("'updates' must be lines such as order.shipped: {text: ...}.")
    return {kind: _update(kind, said) for kind, said in value.items()}


def _update(kind: Any, said: Any) -> Mapping[str, Any]:
    if kind not in EVENTS:
        nearest = get_close_matches(str(kind), EVENTS, 1, 0.0)[0]
        raise ValueError(f"updates: there is no event '{kind}'. Remedy: '{nearest}', or remove it.")
    if not isinstance(said, dict) or not isinstance(said.get("text"), str) or not said["text"].strip():
        raise ValueError(f'updates.{kind} has no text. Remedy: {{text: "Your order {{order}} is on its way."}}.')
    for key in said:
        if key not in ("text", "template"):
            raise ValueError(f"updates.{kind}: there is no key '{key}'. Remedy: text or template.")
    _check_text(kind, said["text"])
    template = said.get("template")
    if template is not None and not _TEMPLATE.fullmatch(str(template)):
        raise ValueError(f"updates.{kind}: template {template!r} is not understood. Remedy: order_shipped:en.")
    return {"text": said["text"].strip(), "template": tuple(str(template).split(":")) if template else None}


def _check_text(kind: str, text: str) -> None:
    for name in re.findall(r"\{(.*?)\}", text):
        if name not in FACTS:
            known = ", ".join(f"{{{fact}}}" for fact in FACTS)
            raise ValueError(f"updates.{kind}: {{{name}}} is no placeholder. Remedy: one of {known}.")
    if len(text) > MAX_CHARS:
        raise ValueError(f"updates.{kind}: the text is too long. Remedy: at most {MAX_CHARS} characters.")


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
