"""Pieces of sentences from `domain.yml`, for answers that depend on what is known.

Customers' words belong to the designers. Where an answer is put together from facts that may be missing (a date,
a carrier), its parts are responses too, named `utter_<topic>_piece_<name>`; the action fills them and passes the
result to the whole response as a placeholder. Actions that use pieces need `send_domain: true` in `domain.yml`: of the
responses Rasa then sends the pieces alone (`connectors/dialogue/action_endpoint.py`).
"""

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

import dates
from skills import PIECE

PLACEHOLDER = re.compile(r"{(\w+)}")


def for_customer(domain: Mapping[str, Any], slots: Mapping[str, Any]) -> dict[str, Any]:
    """The domain with only those variations of each piece whose conditions hold for these slots, and their `language`.

    Chosen as Rasa does it for whole responses: those whose conditions all hold, else those without conditions.
    """
    responses = domain.get("responses") or {}
    chosen = {name: _suitable(entries, slots) for name, entries in responses.items() if PIECE in name}
    return {**domain, "responses": {**responses, **chosen}, "language": slots.get("language")}


def _suitable(variations: list[dict[str, Any]], slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    conditional = [one for one in variations if one.get("condition") and _holds(one["condition"], slots)]
    return conditional or [one for one in variations if one.get("condition") is None]


def _holds(conditions: list[dict[str, Any]], slots: Mapping[str, Any]) -> bool:
    return all(_folded(slots.get(condition["name"])) == _folded(condition["value"]) for condition in conditions)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class Pieces:
    """The pieces of one topic.

    `domain` is what Rasa sends to an action: {"responses": {name: [{"text": ...}, ...]}, ...}, reduced by
    `for_customer`, as every BaseAction gets it.
    """

    def __init__(self, domain: Mapping[str, Any], topic: str) -> None:
        self._responses = domain["responses"]
        self._language: str | None = domain.get("language")
        self._prefix = f"utter_{topic}_piece_"

    def fill(self, name: str, **facts: Any) -> str:
        """The piece with its placeholders filled. KeyError when the domain lacks it or a fact is missing."""
        text = self._responses[self._prefix + name][0]["text"]
        return PLACEHOLDER.sub(lambda match: str(facts[match.group(1)]), text)

    def near_day(self, day: date) -> str:
        """A day of these weeks: 'Tue 24 Nov'."""
        return dates.near_day(day, self._language)

    def far_day(self, day: date) -> str:
        """A day of another season: '24 Feb 2027'."""
        return dates.far_day(day, self._language)

    def weekday(self, day: date) -> str:
        """'Monday'."""
        return dates.weekday(day, self._language)

    def amount(self, money: Decimal, currency: str | None) -> str:
        """'₹1,499.00'."""
        return dates.amount(money, currency, self._language)

    def hour(self, moment: time) -> str:
        """'9 am'."""
        return dates.hour(moment, self._language)
