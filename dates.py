"""Days, hours and amounts as people write them in the customer's language, by the Unicode data that Babel carries.

The language is the slot's (`pt`), the country is the shop's: Portuguese in a shop of Portugal is written as there.
"""

from datetime import date, time
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency

import shop

_WRITTEN_AS = {"hinglish": "en"}  # Hindi in Latin script takes the English names of days and months
_ABBREVIATED = frozenset({"en"})  # 'Tue 24 Nov'; elsewhere abbreviations end in dots, or are hard to guess
_CLOCK = {"hi": "B h:mm 'बजे'"}  # the part of the day is said with the hour; elsewhere the locale's short form


@lru_cache(maxsize=256)
def near_day(day: date, language: str | None) -> str:
    """A day of these weeks: 'Tue 24 Nov', 'terça-feira 24 de novembro'."""
    locale = _locale(language)
    weekday, month = ("E", "MMMd") if locale.language in _ABBREVIATED else ("EEEE", "MMMMd")
    return f"{format_date(day, weekday, locale)} {format_skeleton(month, day, locale=locale)}"


def far_day(day: date, language: str | None) -> str:
    """A day of which the weekday says nothing: '24 Nov 2026', '24 de noviembre de 2026'."""
    locale = _locale(language)
    return str(format_date(day, "medium" if locale.language in _ABBREVIATED else "long", locale))


def weekday(day: date, language: str | None) -> str:
    """'Monday', 'segunda-feira'."""
    return str(format_date(day, "EEEE", _locale(language)))


def hour(moment: time, language: str | None) -> str:
    """'9 am', '9:30 am', '09:00', 'सुबह 9 बजे': by the clock that the locale reads."""
    locale = _locale(language)
    written = str(format_time(moment, _CLOCK.get(locale.language, "short"), locale=locale))
    written = written.replace("\u202f", " ").replace("\xa0", " ")
    bare = locale.language in _ABBREVIATED | _CLOCK.keys() and not written.endswith("0")
    return written.replace(":00", "") if bare else written


def amount(money: Decimal, currency: str | None, language: str | None) -> str:
    """'₹1,499.00', '1.499,00 €': in the shop's currency where none is named."""
    code = (currency or shop.load().currency).upper()
    return str(format_currency(money, code, locale=_locale(language))).replace("\xa0", " ")


@lru_cache(maxsize=64)
def _locale(language: str | None) -> Locale:
    code = _WRITTEN_AS.get(language or "en", language or "en")
    for name in (f"{code}_{shop.load().region}", code):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
