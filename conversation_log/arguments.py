"""What operators write on the command line: moments and customers."""

import argparse
import re
from datetime import datetime, timedelta, timezone

import phonenumbers

from conversation_log.model.identities import MIN_NAME_CHARS
from settings_values import MAX_DAYS

_AGO = re.compile(r"(\d+)\s*(m|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str) -> datetime:
    """`2026-11-01`, `2026-11-01T10:30`, `...+05:30`, or how long ago: `90m`, `24h`, `7d`, `4w`. UTC unless it says."""
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago.group(2).lower()]: int(ago.group(1))})
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write 2026-11-01, 2026-11-01T10:30 or how long ago: 24h, 7d"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def days(text: str) -> int:
    """A number of days, 0 or more. Raises ArgumentTypeError."""
    if not text.strip().isdecimal() or int(text) > MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days, {MAX_DAYS} at most")
    return int(text)


def erasable(text: str, region: str) -> str:
    """As `customer`, but long enough and with a digit, as every id is: what is erased is looked for in all texts and
    keys, and `--customer in` would be everybody's inbox. Raises ArgumentTypeError."""
    found = customer(text, region)
    if len(found) < MIN_NAME_CHARS or not any(sign.isdigit() for sign in found):
        raise argparse.ArgumentTypeError(f"{text!r} is too little to know a customer by; nothing was erased")
    return found


def customer(text: str, region: str) -> str:
    """A phone number as E.164, whatever way it is written; any other id as it is. Raises ArgumentTypeError."""
    plain = text.strip()
    if not plain:
        raise argparse.ArgumentTypeError("a phone number like +919876543210 or a customer id is needed")
    if not re.fullmatch(r"\+?[\d\s().-]+", plain):
        return plain
    for written, country in ((plain, region), ("+" + re.sub(r"\D", "", plain), None)):
        try:
            number = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return plain
