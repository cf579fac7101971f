"""Dates and moments of a shop's table as calendar days where the shop is.

A day is told right or not at all: what could be two days, or none, is None.
"""

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

import shop

YEARS = range(2000, 2100)  # others stand for "no date": 1970-01-01, 9999-12-31
_ISO = re.compile(
    r"(?P<day>\d{4}([-/.])\d{1,2}\2\d{1,2})"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"([1-9]\d{9})(?:\d{3})?(?:\.0*)?")  # seconds or milliseconds since 1970
_A_DAY_S = 86_400
_CLOCK = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?)?"
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([/.-]) ?(\d{{1,2}})\2 ?(\d{{4}}){_CLOCK}", re.IGNORECASE)
# "Sat, 19 Dec 2026", "19-Dec-2026", "19 de dezembro de 2026", "December 19th, 2026"
_NAMED_MONTH = re.compile(
    r"(?:[^\W\d_]+\.?,? +)?(?:(?P<day>\d{1,2})\.?[ -]+(?:de +)?(?P<month>[^\W\d_]+)\.?,?(?:[ -]+de)?"
    rf"|(?P<first>[^\W\d_]+)\.? +(?P<second>\d{{1,2}})(?:st|nd|rd|th)?,?)[ -]+(?P<year>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)


def shop_today() -> date:
    return datetime.now(ZoneInfo(shop.load().time_zone)).date()



def moment(value: object, zone: ZoneInfo, region: str) -> datetime | None:
    """The moment in the shop's `zone`; a day alone begins it. What names no zone is meant as the shop's own time."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    try:
        if isinstance(value, datetime):
            found: datetime | None = _in_zone(value, zone)
        elif isinstance(value, date):
            found = datetime.combine(value, time(), zone)
        else:
            found = _read(_text(value), zone, region)
    except (ValueError, OverflowError):
        return None
    return found if found and found.year in YEARS else None


def day(value: object, zone: ZoneInfo, region: str) -> date | None:
    """The shop's calendar day of a date, a datetime or a text: '2026-12-19T20:30:00Z' in Kolkata is 20 December."""
    read = moment(value, zone, region)
    return read.date() if read else None


def _text(value: object) -> str:
    """A number column's whole number as its digits; empty for what is no text and no number."""
    if isinstance(value, (int, float, Decimal)):
        return format(value, ".0f")
    return value.strip() if isinstance(value, str) else ""


def _read(text: str, zone: ZoneInfo, region: str) -> datetime | None:
    if epoch := _EPOCH.fullmatch(text):
        return _of_epoch(int(epoch[1]), zone)
    iso = _ISO.fullmatch(text)
    if iso:
        year, month, day_of_month = map(int, re.split(r"\D", iso["day"]))
        clock = time(int(iso["hour"] or 0), int(iso["minute"] or 0), int(iso["second"] or 0))
        return _in_zone(datetime.combine(date(year, month, day_of_month), clock, _offset(iso["zone"])), zone)
    named = _NAMED_MONTH.fullmatch(text)
    if named:
        said = _months(region).get((named["month"] or named["first"]).casefold())
        return datetime(int(named["year"]), said, int(named["day"] or named["second"]), tzinfo=zone) if said else None
    written = _YEAR_LAST.fullmatch(text)
    if not written:
        return None
    first, second, year = int(written[1]), int(written[3]), int(written[4])
    first_is_month = _month_first(region) if first <= 12 and second <= 12 and first != second else first <= 12
    if first_is_month is None:
        return None
    month, day_of_month = (first, second) if first_is_month else (second, first)
    return datetime(year, month, day_of_month, tzinfo=zone)


def _of_epoch(seconds: int, zone: ZoneInfo) -> datetime | None:
    """None where a midnight in Greenwich may stand for that day, which is another one in the zone."""
    there = datetime.fromtimestamp(seconds, timezone.utc)
    here = there.astimezone(zone)
    return None if seconds % _A_DAY_S == 0 and here.date() != there.date() else here


def _offset(written: str | None) -> tzinfo | None:
    """'Z', 'UTC', '+05:30', '-08' as a time zone."""
    if not written:
        return None
    if written[0] not in "+-":
        return timezone.utc
    digits = written[1:].replace(":", "").ljust(4, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(ahead if written[0] == "+" else -ahead)


def _in_zone(value: datetime, zone: ZoneInfo) -> datetime:
    return value.astimezone(zone) if value.tzinfo else value.replace(tzinfo=zone)


@lru_cache(maxsize=64)
def _month_first(region: str) -> bool | None:
    """Whether 12/9 is December's: by how a region writes short dates. None where the year comes first: not known."""
    locale = _locale(region)
    if locale is None:
        return None
    pattern = str(locale.date_formats["short"].pattern)
    return None if pattern.lstrip()[:1] == "y" else pattern.index("M") < pattern.index("d")


@lru_cache(maxsize=64)
def _months(region: str) -> dict[str, int]:
    """Names of months, whole and short, in English and in the region's language."""
    locales = [Locale("en"), *([own] if (own := _locale(region)) else [])]
    return {str(name).casefold().rstrip("."): number for locale in locales for use in ("format", "stand-alone")
            for width in ("abbreviated", "wide") for number, name in locale.months[use][width].items()}  # fmt: skip


def _locale(region: str) -> Locale | None:
    try:
        return Locale.parse(f"und_{region}")
    except (UnknownLocaleError, ValueError):
        return None
