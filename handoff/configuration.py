"""`handoff.yml`: the customer's way back and the pace of the helpdesk; hours and ticket prefix come from `shop.yml`."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

import settings
import shop
import yaml_files
from handoff.takeover.opening_hours import BusinessHours, Span
from privacy.indic import SIGNS
from settings import PROJECT_ROOT

# Name of a number here: where it stands in the file, least, most, and what one of its units is here.
_NUMBERS: dict[str, tuple[str, float, float, float]] = {
    "coalesce_s": ("coalesce_seconds", 0, 60, 1),
    "updates_per_10_minutes": ("updates_per_10_minutes", 1, 30, 1),
    "poll_interval_s": ("poll_interval_seconds", 1, 3600, 1),
    "receipt_after_s": ("receipts.after_minutes", 1, 1440, 60),
    "receipt_every_s": ("receipts.at_most_every_minutes", 1, 1440, 60),
    "phone_app_silence_s": ("phone_app_silence_minutes", 0, 10_080, 60),
    "file_max_bytes": ("customer_files.max_megabytes", 1, 100, 1024 * 1024),
    "file_keep_s": ("customer_files.keep_days", 1, 3650, 86_400),
    "digest_above": ("notifications.digest_above", 1, 1000, 1),
    "digest_s": ("notifications.digest_seconds", 1, 3600, 1),
}
_OTHERS = ("back_to_assistant", "order_link", "freshdesk_order_field", "public_url", "stop_updates", "start_updates",
           "ask_how_it_was")  # fmt: skip
_MOVED = {"reference_prefix": "ticket_prefix", "business_hours": "opening_hours and time_zone"}
HANDOFF_FILE = PROJECT_ROOT / "handoff.yml"


class HandoffConfigurationError(ValueError):
    """The file cannot be used; the message names the file, the place and the remedy."""


@dataclass(frozen=True)
class HandoffConfiguration:
    """What the file says."""

    hours: BusinessHours
    reference_prefix: str = "T"
    back_to_assistant: frozenset[str] = field(default_factory=frozenset)  # normalised phrases
    coalesce_s: float = 6.0
    updates_per_10_minutes: int = 25
    poll_interval_s: float = 60.0
    order_link: str | None = None
    public_url: str | None = None
    freshdesk_order_field: str | None = None
    receipt_after_s: float = 180.0
    receipt_every_s: float = 600.0
    phone_app_silence_s: float = 3600.0
    stop_updates: frozenset[str] = field(default_factory=frozenset)  # normalised phrases
    start_updates: frozenset[str] = field(default_factory=frozenset)
    file_max_bytes: int = 25 * 1024 * 1024
    file_keep_s: float = 90 * 86_400.0
    ask_rating: bool = False
    digest_above: int = 5
    digest_s: float = 60.0


def load_configuration(path: Path | None = None) -> HandoffConfiguration:
    """Raises HandoffConfigurationError."""
    path = path or HANDOFF_FILE
    try:
        content = yaml_files.read(path)
    except OSError as error:
        raise HandoffConfigurationError(f"{path}: {error.strerror}. Restore it from the repository.") from None
    except yaml.YAMLError as error:
        raise HandoffConfigurationError(f"{path}: not YAML ({error}). Correct the line it names.") from None
    try:
        ours = shop.load()
        return _read(content, ours)
    except shop.ShopError as wrong:
        raise HandoffConfigurationError(str(wrong)) from None
    except _WrongError as wrong:
        raise HandoffConfigurationError(f"{path}: {wrong}") from None


class _WrongError(ValueError):
    pass


def _read(content: Any, ours: shop.Shop) -> HandoffConfiguration:
    for old, key in _MOVED.items():
        if isinstance(content, dict) and old in content:
            raise _WrongError(f"{old} stands in shop.yml by now. Remedy: write {key} there, and take it out here.")
    known = {*_OTHERS, *(path.split(".")[0] for path, *_ in _NUMBERS.values())}
    content = _mapping(content, "the file", known)
    ask_rating = content.get("ask_how_it_was", False)
    if not isinstance(ask_rating, bool):
        raise _WrongError(f"ask_how_it_was must be true or false, not {ask_rating!r}.")
    order_link = _link(content, "order_link")
    if order_link and "{order_number}" not in order_link:
        raise _WrongError("order_link must contain {order_number}.")
    found: dict[str, Any] = {name: _number(content, name) for name in _NUMBERS}
    found |= {name: _phrases(content, name) for name in ("back_to_assistant", "stop_updates", "start_updates")}
    return HandoffConfiguration(
        hours=_shop_hours(ours),
        reference_prefix=ours.ticket_prefix,
        order_link=order_link,
        public_url=settings.load().public_url or _link(content, "public_url"),
        freshdesk_order_field=_freshdesk_field(content.get("freshdesk_order_field")),
        ask_rating=ask_rating,
        **found,
    )


def _shop_hours(ours: shop.Shop) -> BusinessHours:
    """The opening hours of shop.yml; a shop that gives none is always open."""
    days = {day: spans for day, spans in ours.opening_hours.items() if day != "holidays"}
    always = {day: ["00:00-24:00"] for day in shop.DAYS}
    spans = {shop.DAYS.index(day): tuple(Span(*shop.open_minutes(written)) for written in written_spans or ())
             for day, written_spans in (days or always).items()}  # fmt: skip
    holidays = frozenset((*ours.opening_hours.get("holidays", ()), *ours.holidays))
    switch = settings.load().desk_switch
    return BusinessHours(ZoneInfo(ours.time_zone), spans, holidays, Path(switch) if switch else None)


def _phrases(content: dict[str, Any], name: str) -> frozenset[str]:
    phrases = content.get(name) or []
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise _WrongError(f"{name} must be a list of phrases.")
    return frozenset(normalised(phrase) for phrase in phrases)


def normalised(text: str) -> str:
    """Lower-case words only: `Back to the BOT!!` and `/end` become `back to the bot` and `end`."""
    text = text.replace("’", "'").lower()
    return " ".join(re.findall(rf"[\w'{SIGNS}]+", text))


def _mapping(value: Any, place: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(f"{place} must be a mapping with {', '.join(sorted(known))}.")
    unknown = set(map(str, value)) - known
    if unknown:
        raise _WrongError(f"{place} does not know {', '.join(sorted(unknown))}; it knows {', '.join(sorted(known))}.")
    return value


def _number(content: dict[str, Any], name: str) -> Any:
    """A number of the file in our unit, whole where its default is; the default where the file says none."""
    path, least, most, unit = _NUMBERS[name]
    default = getattr(HandoffConfiguration, name)
    section, _, key = path.rpartition(".")
    if section:
        inside = {where.partition(".")[2] for where, *_ in _NUMBERS.values() if where.startswith(f"{section}.")}
        content = _mapping(content.get(section) or {}, section, inside)
    value = content.get(key, default / unit)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise _WrongError(f"{key} must be a number from {least:g} to {most:g}, not {value!r}.")
    return type(default)(value * unit)


def _freshdesk_field(name: Any) -> str | None:
    if name is None or (isinstance(name, str) and re.fullmatch(r"cf_\w+", name)):
        return name
    raise _WrongError("freshdesk_order_field must be the field's name, such as cf_order_number, or null.")


def _link(content: dict[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None:
        return None
    if not (isinstance(value, str) and re.match(r"https?://", value)):
        raise _WrongError(f"{name} must begin with https://, or be null.")
    return value.rstrip("/")
