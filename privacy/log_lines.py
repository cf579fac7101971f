"""How log lines look: text or JSON, each with the id of the customer's message that it is about, and private.

The id is the wamid, or the id of the inbox entry where there is no message. It is set where work begins (webhook,
turn, action call, sending, log row, ticket) and every line from there on carries it, whoever writes it. The id is what
WhatsApp made of the customer's number and a counter: it finds the conversation in the log, and is as personal as that.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from privacy import log_filter

FORMATS = ("text", "json")
trace_id: Callable[[], str | None] | None = None
"""Of the trace that is worked on (`tracing` says it, where there are traces)."""
_message_id: ContextVar[str | None] = ContextVar("message_id", default=None)


@contextmanager
def about(message_id: object) -> Iterator[None]:
    """Lines written inside, in this task or thread, are about this message."""
    before = _message_id.set(str(message_id) if message_id else None)
    try:
        yield
    finally:
        _message_id.reset(before)


def current() -> str | None:
    """The id of the message that is worked on."""
    return _message_id.get()


class TextLines(logging.Formatter):
    """`time LEVEL logger event key=value … wamid=…`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line, message_id = super().formatMessage(record), current()
        return f"{line} wamid={message_id}" if message_id else line


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `event`, `message`, `wamid`, `trace`, `traceback`.

    `event` is the first word of a line of ours (`outbox.reply.accepted`), and absent from a library's.
    """

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        event = message.split(" ", 1)[0].rstrip(";:")
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "event": event if "." in event and event.replace(".", "").replace("_", "").isalnum() else None,
            "message": message,
            "wamid": current(),
            "trace": trace_id() if trace_id else None,
            "traceback": record.exc_text or record.stack_info,
        }
        return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)


def formatter(form: str | None) -> logging.Formatter:
    """The lines of one of FORMATS, text unless said."""
    return JsonLines() if form == "json" else TextLines()


def configure(level: str | int, form: str | None = None, secrets: Iterable[str | None] = ()) -> None:
    """Lines of this process to standard error, in one of FORMATS, behind the privacy filter.

    Raises RuntimeError when they cannot be kept private.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    log_filter.install(secrets)
