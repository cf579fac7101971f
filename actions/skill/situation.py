"""Where a conversation stands, as a reader from outside needs to know it: redacted, and without who the customer is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rasa_sdk import Tracker

from actions.confirmation import offered
from actions.llm.prompt_delimiters import wrap_untrusted
from actions.orders.numbers import normal_number, same_number
from actions.skill.action import Event, follows, message_metadata, turns_backwards
from privacy.redaction import redact

EARLIER_TURNS = 4
MAX_LINE_CHARS = 400
MAX_CONVERSATION_CHARS = 4000
MAX_NUMBERS = 20


@dataclass(frozen=True)
class Situation:
    """What is talked about and possible. `follows` as in components.conversation.context; numbers as the shop's."""

    follows: str
    order: str | None  # talked about last
    listed: tuple[str, ...]  # offered to pick from, in their order
    numbers: tuple[str, ...]  # that may be named: shown to this customer, or written by them, in this conversation
    offer: str  # intent that a yes stands for, "" where no question is open
    form: str  # what is being done, "" for nothing
    waits_for: str

    @classmethod
    def of(cls, tracker: Tracker) -> Situation:
        """As the tracker tells."""
        order, changed = tracker.get_slot("order_number"), tracker.get_slot("change_order_number")
        listed = tuple(map(str, tracker.get_slot("orders_offered") or []))
        shown = [*listed, *(tracker.get_slot("orders_shown") or []), order, changed, *_quoted_numbers(tracker)]
        # What is no order number to the redaction (a phone, a card) is none that may leave.
        written = [number for number in _written(tracker) if redact(number) == number]
        numbers = dict.fromkeys(str(number) for number in (*shown, *written) if number)
        form = str((tracker.active_loop or {}).get("name") or "")
        doing = f"{tracker.get_slot('change_kind')} {changed or '(which order is not known yet)'}" if form else ""
        return cls(
            follows(tracker), order, listed, tuple(numbers)[-MAX_NUMBERS:], offered(tracker),
            doing, str(tracker.get_slot("requested_slot") or ""),
        )  # fmt: skip

    def known(self, number: str) -> str | None:
        """The number of this conversation that is meant, as the shop writes it."""
        plain = normal_number(number)
        return next((one for one in self.numbers if plain and same_number(one, plain)), None)

    def lines(self) -> Iterator[str]:
        """For a reader."""
        yield f"The message follows: {self.follows or 'nothing'}"
        yield f"Orders that may be named: {', '.join(self.numbers) or 'none'}"
        if self.order:
            yield f"Order talked about last: {self.order}"
        if self.listed:
            yield f"Orders listed to pick from, in this order: {', '.join(self.listed)}"
        yield f"A yes-or-no question is open: {'yes' if self.offer else 'no'}"
        if self.form:
            yield f"Being arranged: {self.form}; the assistant asked for: {self.waits_for}"


def conversation(tracker: Tracker, situation: Situation) -> str:
    """State, the last turns and the newest message, each between marks of its own."""
    now, *before = islice(turns_backwards(tracker), EARLIER_TURNS + 1)
    earlier = [line for turn in reversed(before) for event in turn for line in _said(event)]
    quoted = _line("quoted by the customer", (message_metadata(tracker).get("quoted") or {}).get("text"))
    newest = redact(str(now[0].get("text") or ""))
    return "\n".join(
        (
            wrap_untrusted("state", "\n".join(situation.lines())),
            wrap_untrusted("earlier", "\n".join([*earlier, *quoted])[-MAX_CONVERSATION_CHARS:], MAX_CONVERSATION_CHARS),
            wrap_untrusted("newest_message", newest),
        )
    )


def _said(event: Event) -> list[str]:
    """The lines of a message or reply; what hangs on it (buttons, rows of a list) in brackets."""
    if event.get("event") == "user":
        text = str(event.get("text") or "")
        return _line("customer", (event.get("metadata") or {}).get("typed") or ("" if text.startswith("/") else text))
    if event.get("event") != "bot":
        return []
    data = event.get("data") or {}
    custom = data.get("custom") or {}
    rows = [f"{row.get('title')} {row.get('description') or ''}".strip() for row in custom.get("rows") or []]
    titles = [str(button.get("title")) for button in data.get("buttons") or []]
    words = str(event.get("text") or custom.get("body") or "")
    return _line("assistant", " ".join([words[:MAX_LINE_CHARS], *(f"[{title}]" for title in (*rows, *titles))]))


def _line(author: str, words: Any) -> list[str]:
    plain = " ".join(redact(str(words or "")).split())
    return [f"{author}: {plain[: 2 * MAX_LINE_CHARS]}"] if plain else []


def _written(tracker: Tracker) -> list[str]:
    """The order numbers that the customer wrote in this session."""
    messages = [event for turn in turns_backwards(tracker) for event in turn if event.get("event") == "user"]
    entities = [one for event in messages for one in (event.get("parse_data") or {}).get("entities") or []]
    values = [one.get("value") for one in entities if one.get("entity") == "order_number"]
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return [number for part in reversed(flat) if (number := normal_number(part))]


def _quoted_numbers(tracker: Tracker) -> list[str]:
    quoted = message_metadata(tracker).get("quoted") or {}
    if quoted.get("author") != "assistant":
        return []
    return [*(quoted.get("order_numbers") or []), *([quoted["order_number"]] if quoted.get("order_number") else [])]
