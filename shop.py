"""The shop that the assistant works for: its folder (SHOP_DIR) and what `shop.yml` in it says.

The root of the project holds the demo shop; any other shop is a folder laid out the same. Everything that is one shop's
is read here and from nowhere else; three old environment variables still win over it, with a warning.
"""

import dataclasses
import datetime as dt
import enum
import itertools
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

import settings
import shop_costs
import shop_updates
import yaml_files

log = logging.getLogger(__name__)

FILE = "shop.yml"
LANGUAGES = ("en", "hinglish", "hi", "pt", "es")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ACTIONS = ("cancel", "address", "returns")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]|24(?=:00)):([0-5]\d))")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
# Without these a shop would be one in India; an empty line is no choice of that.
NEEDED = {"region": "GB", "languages": "[en]", "currency": "GBP", "time_zone": "Europe/London"}
_ORDERS = ("id_examples", "id_pattern", "statuses")
_OLD_VARIABLES = {"DEFAULT_REGION": "region", "SHOP_TIMEZONE": "time_zone"}


class OrderStatus(str, enum.Enum):
    """The ten statuses, in the order of an order's life."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    PACKED = "packed"
    SHIPPED = "shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


STATUSES = tuple(status.value for status in OrderStatus)


class ShopError(ValueError):
    """shop.yml cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Shop:
    """One shop's `shop.yml`. `languages` are those it answers in, the first the default."""

    name: str
    region: str = "IN"
    languages: tuple[str, ...] = ("en",)
    currency: str = "INR"
    time_zone: str = "Asia/Kolkata"
    opening_hours: Mapping[str, Any] = field(default_factory=dict)
    holidays: tuple[dt.date, ...] = ()
    ticket_prefix: str = "T"
    orders: Mapping[str, Any] = field(default_factory=dict)
    updates: Mapping[str, Any] = field(default_factory=dict)
    quiet_hours: str | None = None
    message_costs: shop_costs.MessageCosts = field(default_factory=shop_costs.MessageCosts)
    actions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def load(folder: Path | None = None) -> Shop:
    """The shop of `folder` (default: SHOP_DIR). Raises ShopError."""
    configured = settings.load()
    folder = folder or configured.shop_path
    try:
        written = (folder / FILE).stat()
    except OSError:
        return read(folder)
    overrides = {key: value for variable, key in _OLD_VARIABLES.items() if (value := configured.values[variable])}
    return _loaded(folder, (written.st_mtime_ns, written.st_size), tuple(overrides.items()))


@lru_cache(maxsize=8)
def _loaded(folder: Path, version: tuple[int, int], overrides: tuple[tuple[str, str], ...]) -> Shop:
    """The file is read, and an old variable complained of, once for each `version`: every order answer asks for it."""
    variables = {key: variable for variable, key in _OLD_VARIABLES.items()}
    for key, _ in overrides:
        log.warning("shop.old_variable %s wins over %s of %s. Remedy: write it there.", variables[key], key, FILE)
    changed: dict[str, Any] = dict(overrides)
    return dataclasses.replace(read(folder), **changed)


def read(folder: Path) -> Shop:
    """What `shop.yml` of a folder says, every key checked. Raises ShopError for the first mistake."""
    shop, mistakes = examine(folder)
    if shop is None:
        raise mistakes[0]
    return shop


def examine(folder: Path) -> tuple[Shop | None, list[ShopError]]:
    """What `shop.yml` of a folder says, None unless all of it can be used; and every mistake in it."""
    path = folder / FILE
    try:
        said = _said(path)
    except ShopError as error:
        return None, [error]
    known = [entry.name for entry in dataclasses.fields(Shop)]
    mistakes, values = [ShopError(f"{path}: '{key}' is there twice. Remedy: keep one.") for key in _twice(path)], {}
    for key, value in said.items():
        if key not in known:
            remedy = f"Remedy: '{_nearest(key, known)}', or remove it."
            mistakes.append(ShopError(f"{path}: there is no key '{key}'. {remedy}"))
        elif value is None and key in NEEDED:
            mistakes.append(ShopError(f"{path}: '{key}' is empty. Remedy: such as {key}: {NEEDED[key]}."))
        elif value is not None and key != "name":
            try:
                values[key] = _CHECKS[key](value)
            except ValueError as wrong:
                mistakes.append(ShopError(f"{path}: {wrong}"))
    if not isinstance(said.get("name"), str) or not said["name"].strip():
        mistakes.append(ShopError(f"{path} has no name. Remedy: a line 'name: ...', as customers know the shop."))
    return (None if mistakes else Shop(name=_named(said["name"]), **values)), mistakes


def _said(path: Path) -> dict[Any, Any]:
    """The lines of the file. Raises ShopError."""
    try:
        said = yaml_files.read(path)
    except OSError:
        raise ShopError(f"{path} cannot be read. Remedy: a file with at least 'name: ...'.") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ShopError(f"{path} is not valid YAML ({' '.join(str(error).split())[:160]}).") from None
    if not isinstance(said, dict):
        raise ShopError(f"{path} must be lines of 'key: value'. Remedy: begin it with 'name: ...'.")
    if said.get("orders"):
        said["orders"] = yaml_files.words(path).get("orders", said["orders"])
    return said


def _twice(path: Path) -> list[str]:
    """Keys that the file has twice: YAML takes the last in silence."""
    root: Any = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml_files.LOADER)  # read as lines already
    return [key for key, times in Counter(key.value for key, _ in root.value).items() if times > 1]


class _WrongError(ValueError):
    pass


def _nearest(word: Any, known: Sequence[str]) -> str:
    return get_close_matches(str(word), known, 1, 0.0)[0]


def _named(value: Any) -> str:
    return " ".join(str(value).split())


def _region(value: Any) -> str:
    import phonenumbers

    if value is False:  # YAML reads the country code NO as false
        value = "NO"
    if str(value) not in phonenumbers.SUPPORTED_REGIONS:
        raise _WrongError(f"'region' {value!r} is not a country. Remedy: two capital letters, such as GB, BR or US.")
    return str(value)


def _languages(value: Any) -> tuple[str, ...]:
    languages = _strings("languages", value)
    for language in languages:
        if language not in LANGUAGES:
            raise _WrongError(f"'{language}' is not a language of ours. Remedy: one of {', '.join(LANGUAGES)}.")
    if not languages or len(set(languages)) < len(languages):
        raise _WrongError(f"'languages' is empty or has one twice. Remedy: one or more of {', '.join(LANGUAGES)}.")
    return languages


def _currency(value: Any) -> str:
    from babel.numbers import list_currencies

    if str(value) not in list_currencies():
        raise _WrongError(f"'currency' {value!r} is unknown. Remedy: three capital letters, such as GBP, BRL or USD.")
    return str(value)


def _time_zone(value: Any) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (OSError, ValueError, LookupError):
        raise _WrongError(f"'time_zone' {value!r} is unknown. Remedy: a name such as Europe/London.") from None


def _opening_hours(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError("'opening_hours' must be lines such as monday: [\"09:00-17:30\"].")
    for day, spans in value.items():
        if day == "holidays":
            _holidays(spans)
        elif day not in DAYS:
            raise _WrongError(f"opening_hours: '{day}' is not a day of the week. Remedy: '{_nearest(day, DAYS)}'.")
        elif not isinstance(spans, (list, type(None))):
            raise _WrongError(f"opening_hours.{day}: {spans!r} is not a list. Remedy: [\"09:00-17:30\"].")
        else:
            open_spans = sorted(_open_minutes(day, span) for span in spans or [])
            if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(open_spans)):
                raise _WrongError(f"opening_hours.{day}: {spans!r} overlap. Remedy: one span for each time of opening.")
    return dict(value)


def _open_minutes(day: str, span: Any) -> tuple[int, int]:
    try:
        return open_minutes(span)
    except ValueError as wrong:
        raise _WrongError(f"opening_hours.{day}: {wrong}") from None


def open_minutes(span: Any) -> tuple[int, int]:
    """Opening and closing of '09:00-17:30' in minutes after midnight. Raises ValueError with the remedy."""
    match = _SPAN.fullmatch(str(span))
    if match is None:
        raise ValueError(f"{span!r} is not understood. Remedy: write it like 09:00-21:00.")
    opens, closes = (int(hour) * 60 + int(minute) for hour, minute in (match.group(1, 2), match.group(3, 4)))
    if closes <= opens:
        raise ValueError(f"{span!r} ends before it begins. Remedy: split it at midnight.")
    return opens, closes


def _holidays(value: Any) -> tuple[dt.date, ...]:
    if not isinstance(value, list) or not all(type(day) is dt.date for day in value):
        raise _WrongError("'holidays' must be dates. Remedy: a list such as [2027-01-26], without quotes.")
    return tuple(value)


def _ticket_prefix(value: Any) -> str:
    if not re.fullmatch(r"[A-Z]{1,6}", str(value)):
        raise _WrongError(f"'ticket_prefix' must be one to six capital letters, such as OS, not {value!r}.")
    return str(value)


def _orders(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError("'orders' must hold id_examples or id_pattern, and statuses.")
    for key in value:
        if key not in _ORDERS:
            raise _WrongError(f"orders: there is no key '{key}'. Remedy: '{_nearest(key, _ORDERS)}', or remove it.")
    examples, statuses = value.get("id_examples"), value.get("statuses") or {}
    texts = isinstance(examples, list) and all(isinstance(one, str) for one in examples)
    if examples not in (None, "") and not (examples and texts):
        raise _WrongError("orders.id_examples must be a list of order numbers. Remedy: [WC-1001, WC-20455].")
    if not isinstance(statuses, dict):
        raise _WrongError("orders.statuses must be lines such as 'wc-completed: delivered'.")
    for word, status in statuses.items():
        if status not in STATUSES:
            remedy = f"Remedy: '{_nearest(status, STATUSES)}', or another of {', '.join(STATUSES)}."
            raise _WrongError(f"orders.statuses: '{word}' means '{status}'. {remedy}")
    return {**value, "statuses": {str(word): status for word, status in statuses.items()}}


def _actions(value: Any) -> tuple[str, ...]:
    actions = _strings("actions", value)
    for action in actions:
        if action not in ACTIONS:
            raise _WrongError(f"'{action}' is not a known action. Remedy: one of {', '.join(ACTIONS)}.")
    return actions


def _links(value: Any) -> tuple[str, ...]:
    for domain in _strings("links", value):
        if not _DOMAIN.fullmatch(domain.lower()):
            raise _WrongError(f"'links': {domain!r} is no domain. Remedy: only its name, such as oakandspoke.example.")
    return tuple(str(domain).lower() for domain in value)


def _strings(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _WrongError(f"'{key}' must be a list. Remedy: {key}: [..., ...].")
    return tuple(map(str, value))


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "region": _region, "languages": _languages, "currency": _currency, "time_zone": _time_zone,
    "opening_hours": _opening_hours, "holidays": _holidays, "ticket_prefix": _ticket_prefix, "orders": _orders,
    "updates": lambda value: shop_updates.updates(value, LANGUAGES), "quiet_hours": shop_updates.quiet_hours,
    "message_costs": shop_costs.message_costs, "actions": _actions, "links": _links,
}  # fmt: skip
