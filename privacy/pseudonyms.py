"""Names for a customer that tell nobody who it is."""

import hashlib
import hmac
import secrets

_TWO_DIGIT_CODES = frozenset(
    map(str, [20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67), 81, 82, 84, 86])
) | frozenset(map(str, [*range(90, 96), 98]))
_process_key = secrets.token_bytes(32)


def mask_phone(phone: str | None) -> str:
    """A phone number for people's eyes: `+919876543210` → `+91••••••3210`; `unknown` for none.

    Anything that is not a phone number (a user id) keeps its last four characters at most.
    """
    if not phone:
        return "unknown"
    digits = phone.lstrip("+")
    if not digits.isdecimal() or len(digits) < 7:
        shown = min(4, len(phone) // 3)
        return "•" * 6 + phone[len(phone) - shown :]
    code = _country_code(digits)
    national = digits[len(code) :]
    shown = min(4, len(national) // 2)
    return f"+{code}{'•' * (len(national) - shown)}{national[len(national) - shown :]}"


def pseudonym(customer: str, key: str | bytes | None = None) -> str:
    """A stable name for logs, such as `c_9f2ab41c0d3e`: a keyed hash, because unkeyed ones of phones are guessable.

    Without a key it is stable only within this process.
    """
    secret = key.encode() if isinstance(key, str) else key
    return "c_" + hmac.new(secret or _process_key, customer.encode(), hashlib.sha256).hexdigest()[:12]


def _country_code(digits: str) -> str:
    if digits[0] in "17":
        return digits[0]
    return digits[:2] if digits[:2] in _TWO_DIGIT_CODES else digits[:3]


def folder_of(customer: str) -> str:
    """The folder of a customer's files. Not keyed: whoever erases them finds it after every key was changed."""
    return hashlib.sha256(f"files of {customer}".encode()).hexdigest()[:40]
