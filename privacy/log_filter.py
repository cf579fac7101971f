"""Log lines without phone numbers and secrets, whoever wrote them (our code, a library, a traceback)."""

import logging
import re
import traceback
from collections.abc import Iterable, Iterator

from privacy.pseudonyms import mask_phone

_SECRETS = (
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)(\b(?:access_token|api[_-]?key|app_secret|client_secret|verify_token|password|token|secret|x-api-key|authorization)"
        r"[\"']?\s*[=:]\s*[\"']?)(?!bearer|basic|\[)[^\s\"'&,;}]{4,}"
    ),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(r"(\bhooks\.slack\.com/services/)\S+"),
    re.compile(r"()\b(?:EAA[A-Za-z0-9]{16,}|sk-[\w-]{16,}|xox[a-z]-[\w-]{8,}|pat-[a-z0-9]{2,4}-[\w-]{16,})"),
)
_PHONE = re.compile(r"(?<![\w.#-])\+\d{7,15}(?!\d)|(?<![\w.#:-])(?:[6-9]\d{9}|[1-9]\d{10,14})(?![\w-])")
_EPOCH_MS = re.compile(r"1[5-9]\d{11}")
MIN_SECRET = 6  # shorter values would blank out ordinary words


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with phone numbers masked and secrets replaced by `[secret]`."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    for pattern in _SECRETS:
        text = pattern.sub(r"\1[secret]", text)
    return _PHONE.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    number = match.group()
    return number if _EPOCH_MS.fullmatch(number) else mask_phone(number)


class PrivacyFilter(logging.Filter):
    """A filter for handlers: rewrites each record's message and traceback. `secrets` are values never to be shown."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        super().__init__()
        self._secrets = sorted({s for s in secrets if s and len(s) >= MIN_SECRET}, key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            self._rewrite(record)
        except Exception as error:  # a line that cannot be scrubbed is not printed as it is, and fails nobody's work
            record.msg, record.args = f"[withheld: it could not be scrubbed, {type(error).__name__}]", None
            record.exc_info = record.exc_text = record.stack_info = None
        return True

    def _rewrite(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # a broken format string must not lose the line, nor print its arguments
            message = f"{record.msg} [unformattable arguments]"
        record.msg, record.args = scrub(message, self._secrets), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = scrub("".join(traceback.format_exception(*record.exc_info)).rstrip(), self._secrets)
        elif record.exc_text:
            record.exc_text = scrub(record.exc_text, self._secrets)
        if record.stack_info:
            record.stack_info = scrub(record.stack_info, self._secrets)


def install(secrets: Iterable[str | None] = (), logger: logging.Logger | None = None) -> PrivacyFilter:
    """Put the filter on every handler of `logger`, by default of all loggers; call it after logging is configured.

    Raises RuntimeError when there is no handler to put it on: lines would go out as they are.
    """
    privacy = PrivacyFilter(secrets)
    handlers = logger.handlers if logger else list(_all_handlers())
    if not handlers:
        raise RuntimeError("no log handler to put the privacy filter on: configure logging first")
    for handler in handlers:
        for old in [found for found in handler.filters if isinstance(found, PrivacyFilter)]:
            handler.removeFilter(old)
        handler.addFilter(privacy)
    return privacy


def _all_handlers() -> Iterator[logging.Handler]:
    """Those of the root and of loggers that a library gave handlers of their own; Python's last resort too."""
    root = logging.getLogger()
    if not root.handlers:
        return
    named = [found for found in root.manager.loggerDict.values() if isinstance(found, logging.Logger)]
    for logger in (root, *named):
        yield from logger.handlers
    if logging.lastResort is not None:
        yield logging.lastResort
