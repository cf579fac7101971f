"""One JSON object read the way Graph reads it: unknown keys, missing keys, wrong lengths each have a refusal."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from twin.whatsapp.graph_errors import Refusal


class Broken(Exception):
    """The body breaks a limit; carries what Meta would answer. Never leaves the validator."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.details)
        self.refusal = refusal


def missing(path: str) -> Broken:
    return Broken(Refusal(131008, f"The parameter {path} is required."))


def invalid(details: str) -> Broken:
    return Broken(Refusal(131009, details))


class Fields:
    """One JSON object and the path that leads to it in the body."""

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self.values = values
        self.path = path

    @classmethod
    def of(cls, value: Any, path: str) -> Fields:
        """The value as an object; refuses anything else."""
        if not isinstance(value, dict):
            raise Broken(Refusal(100, f"Param {path or 'body'} must be a JSON object."))
        return cls(value, path)

    def at(self, key: str) -> str:
        """The path of one of its keys, as Meta writes paths: interactive['body']['text']."""
        return f"{self.path}['{key}']" if self.path else key

    def only(self, keys: Set[str]) -> None:
        """Refuse any other key."""
        unknown = sorted(set(self.values) - keys)
        if unknown:
            raise Broken(Refusal(100, f'Unexpected key "{unknown[0]}" on param "{self.path or "body"}".'))

    def text(
        self, key: str, *, longest: int | None = None, required: bool = True, empty: bool = False, blank: bool = True
    ) -> Any:
        """A string of 1 (or 0 if `empty`) to `longest` characters; None when absent and not required.

        `blank=False` refuses whitespace alone as well.
        """
        if key not in self.values:
            if required:
                raise missing(self.at(key))
            return None
        value = self.values[key]
        if not isinstance(value, str):
            raise Broken(Refusal(100, f"Param {self.at(key)} must be a string."))
        if (not value and not empty) or (not blank and not value.strip()):
            raise missing(self.at(key))
        if longest is not None and len(value) > longest:
            raise Broken(Refusal(100, f"Param {self.at(key)} must be at most {longest} characters long."))
        return value

    def flag(self, key: str) -> None:
        """A boolean, if present."""
        if not isinstance(self.values.get(key, False), bool):
            raise Broken(Refusal(100, f"Param {self.at(key)} must be a boolean."))

    def coordinate(self, key: str, bound: float) -> None:
        """Degrees, as a number or its decimal text, between -bound and bound."""
        if key not in self.values:
            raise missing(self.at(key))
        value = self.values[key]
        try:
            degrees = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except ValueError:
            degrees = None
        if degrees is None or not -bound <= degrees <= bound:
            raise invalid(f"{self.at(key)} must be a number between -{bound} and {bound}.")

    def child(self, key: str, required: bool = True) -> Any:
        """An object of its own; None when absent and not required."""
        if key not in self.values:
            if required:
                raise missing(self.at(key))
            return None
        return Fields.of(self.values[key], self.at(key))

    def children(self, key: str, most: int, least: int = 1) -> list[Fields]:
        """A list of `least` to `most` objects."""
        if key not in self.values:
            raise missing(self.at(key))
        items = self.values[key]
        if not isinstance(items, list):
            raise Broken(Refusal(100, f"Param {self.at(key)} must be an array."))
        if not least <= len(items) <= most:
            raise invalid(f"Invalid {self.at(key)} count. Min allowed: {least}, Max allowed: {most}.")
        return [Fields.of(item, f"{self.at(key)}[{index}]") for index, item in enumerate(items)]
