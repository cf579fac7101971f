"""Responses in several languages: variations that lack a placeholder, name an unknown language, or are missing.

A variation is an entry of a response with a `condition`; the entries without one are for everybody else.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from components.language.answered import WRITTEN
from workbench.checks.findings import Finding
from workbench.checks.yaml_lines import Block

LANGUAGE = "language"
_PLACEHOLDER = re.compile(r"(?<!{){(\w+)}(?!})")

Entry = dict[str, Any]


def wrong_variations(domain: Block) -> list[Finding]:
    """What does not fit among the variations of the domain's responses."""
    responses: Block = domain["responses"]
    found = [one for name, entries in responses.items() for one in _unlike_the_first(name, entries)]
    found += [one for name, entries in responses.items() for one in _conditions(name, entries, domain["slots"])]
    found += _missing(responses)
    return [
        replace(one, place=f"domain.yml:{responses.line_of(one.place)}", problem=f"{one.place}: {one.problem}")
        for one in found
    ]


def placeholders(entry: Entry) -> set[str]:
    """The names in braces, wherever they stand: text, buttons, custom."""
    return {name for text in _texts({key: entry[key] for key in entry if key != "condition"})
            for name in _PLACEHOLDER.findall(text)}  # fmt: skip


def _unlike_the_first(name: str, entries: list[Entry]) -> Iterator[Finding]:
    common = [entry for entry in entries if entry.get("condition") is None]
    if not common:
        yield _finding(name, "every variation has a condition", "add one without, for everybody else")
        return
    needed, payloads = placeholders(common[0]), [_payloads(entry) for entry in common]
    for entry in entries:
        which = f"the variation for {_language(entry)}" if entry.get("condition") else "a variation"
        if lacking := needed - placeholders(entry):
            yield _finding(name, f"{which} lacks {_braced(lacking)}", "say it there too: the customer needs to know it")
        if strange := placeholders(entry) - needed:
            yield _finding(name, f"{which} has {_braced(strange)}, which the first one has not", "nothing fills it")
        if entry.get("condition") and _payloads(entry) not in payloads:
            yield _finding(name, f"{which} has other buttons than the first one", "give it the same payloads")


def _conditions(name: str, entries: list[Entry], slots: dict[str, Any]) -> Iterator[Finding]:
    for condition in (one for entry in entries for one in entry.get("condition") or []):
        slot, value = condition.get("name"), condition.get("value")
        if slot not in slots:
            yield _finding(name, f"a condition names the slot {slot}, which there is not", "correct the name")
        elif (known := slots[slot].get("values")) and value not in known:
            yield _finding(name, f"nobody has {slot} {value}", f"use one of {', '.join(map(str, known))}")


def _missing(responses: dict[str, list[Entry]]) -> Iterator[Finding]:
    """A language is spoken in every response, or some customers are answered now in one and now in another.

    A language that is not answered in is spoken in those few responses that any such language has.
    """
    spoken = {name: set(filter(None, map(_language, entries))) for name, entries in responses.items()}
    written = set().union(*spoken.values())
    for language in sorted(written):
        answers = language in WRITTEN
        for name in responses:
            if language not in spoken[name] and (answers or spoken[name] - set(WRITTEN)):
                problem = f"there is no variation for {language}, so these customers read the first one"
                # A piece is part of a sentence, which would be half in one language and half in the other.
                yield _finding(name, problem, "add it", blocking="_piece_" in name)


def _finding(name: str, problem: str, remedy: str, blocking: bool = True) -> Finding:
    """A finding whose place is, for now, the response's name."""
    return Finding("variation", name, problem, remedy, blocking)


def _language(entry: Entry) -> str | None:
    values = (one.get("value") for one in entry.get("condition") or [] if one.get("name") == LANGUAGE)
    return next((str(value) for value in values), None)


def _payloads(entry: Entry) -> list[str]:
    return [button["payload"] for button in entry.get("buttons", [])]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _braced(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
