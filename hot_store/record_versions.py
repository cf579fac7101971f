"""The version that every stored record carries, and what a reader does with one that it does not know.

Releases run side by side while one replaces the other, in either direction. A field that is added needs no new version:
readers skip the fields that they do not know. A record that must not be read by a release before it gets the next
major; whoever does not know that sets the record aside, whole, for a release that does.
"""

import json
from collections.abc import Mapping
from typing import Any

FIELD = "v"
CURRENT = 1
"""Of inbox and outbox entries, records of the event stream, and JSON kept for a customer. Before there was one: 1."""


class UnknownVersion(ValueError):
    """A newer release wrote the record; this one must neither guess at it nor lose it."""


def stamped(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, FIELD: CURRENT}


def check(record: Any) -> None:
    """Raise UnknownVersion for a record of another major than this release's. A record without a version is of 1."""
    found = record.get(FIELD, 1) if isinstance(record, Mapping) else 1
    if found != CURRENT or isinstance(found, bool):
        raise UnknownVersion(f"version {str(found)[:20]} of a newer release; this one reads version {CURRENT}")


def read_kept(text: str | None) -> Mapping[str, Any]:
    """A JSON object that is kept for a customer, without its version; empty when this release cannot read it.

    For what may be forgotten at any time: it then is as if it had been.
    """
    try:
        kept = json.loads(text or "{}")
        check(kept)
    except ValueError:
        return {}
    return {name: value for name, value in kept.items() if name != FIELD} if isinstance(kept, dict) else {}
