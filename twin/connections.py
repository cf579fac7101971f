"""Connections that go while a request comes in on them: no news for whoever reads the terminal."""

import logging
from types import TracebackType

from aiohttp import web_protocol


class Gone(logging.Filter):
    """Leaves out what aiohttp says of itself when a browser goes between the arrival of its request and the handler's
    turn (aio-libs/aiohttp#6978). What our handlers raise is said."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        return not (isinstance(error, AssertionError) and _raised_in(error.__traceback__) == web_protocol.__file__)


def _raised_in(where: TracebackType | None) -> str:
    """The file of the innermost frame."""
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    return where.tb_frame.f_code.co_filename if where is not None else ""
