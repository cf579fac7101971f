"""Order numbers and tracking codes on a customer's picture, as words of their message.

Of all that stands on a picture only numbers count: a screenshot's sentences are not what the customer says. They are
read by the same rules as typed ones, and are worth no more: an order is told to the phone that placed it.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from components.order_numbers.finding import ORDER, read_numbers
from components.order_numbers.shape import Shape
from components.order_numbers.shops import shop_pattern
from connectors.media.abilities import NotReadable
from lenient_json import as_mapping, text

log = logging.getLogger(__name__)

TIMEOUT_S, CONNECT_TIMEOUT_S = 18.0, 2.0
MAX_EACH = 3
_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
# A carrier's number has letters beside its digits, or it would be anything; a code is one by being a code.
_TRACKING = re.compile(r"(?<![^\W_])(?=[A-Z0-9]*[A-Z])(?=(?:[A-Z]*\d){6})[A-Z0-9]{8,30}(?![^\W_])", re.IGNORECASE)
_ZERO_FOR_O = re.compile(r"(?<![^\W_])0(?=[^\W\d_]{3})")
_ORDINAL = re.compile(r"\bn[9o°] ?(?=\d{4})", re.IGNORECASE)
_CODE = re.compile(r"(?=(?:[A-Za-z_-]*\d){6})[\w-]{8,40}", re.ASCII)


class PictureReader:
    """Asks the process that reads pictures (`picture_server`). Made and used in one event loop."""

    max_bytes = 5 * 1024 * 1024
    at_once = 2

    def __init__(self, url: str) -> None:
        self._url, self._pattern = url, shop_pattern()
        self._timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)

    async def words(self, data: bytes) -> str:
        """The numbers, one a line. Raises NotReadable."""
        if not data.startswith(_HEADS):
            raise NotReadable("no_picture")
        found = await self._ask(data)
        numbers = numbers_in(_strings(found.get("rows")), _strings(found.get("codes")), self._pattern)
        if not numbers:
            raise NotReadable("no_number")
        return "\n".join(numbers)

    async def close(self) -> None:
        """Nothing stays open."""

    async def _ask(self, data: bytes) -> Mapping[str, Any]:
        try:
            async with aiohttp.ClientSession(timeout=self._timeout) as session, session.post(
                self._url, data=data
            ) as answer:
                found, status = as_mapping(json.loads(await answer.read())), answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            log.warning("pictures.failed error=%s", type(error).__name__)
            raise NotReadable("reader_away") from None
        if status != 200:
            raise NotReadable(text(found.get("why"), 40) or "reader_away")
        return found


def numbers_in(rows: Sequence[str], codes: Sequence[str], pattern: str) -> list[str]:
    """Order numbers as the shop writes them, those with words beside them first, then tracking codes.

    What only looks like a tracking code counts where there is nothing better: on labels much does.
    """
    shape = Shape.of(pattern)
    named: list[str] = []
    alone: list[str] = []
    tracking: list[str] = []
    for row in map(_mended, rows):
        for span in read_numbers(row, pattern):
            if span.kind == ORDER:
                (named if any(map(str.isalpha, row)) else alone).append(span.value)
            elif span.kind == "tracking":
                # The reader leaves blanks out: "DelhiveryDL4402918".
                tracking += re.findall(rf"[^\W_]*{re.escape(span.value)}[^\W_]*", row)[:1]
    for code in codes:
        for token in re.findall(r"[\w-]+", code, re.ASCII):
            if shape.fits(token):
                named.append(token.upper())
            elif _CODE.fullmatch(token):
                tracking.append(token)
    if not named and not tracking:
        tracking = [token for row in rows for token in _TRACKING.findall(row)]
    kept = [part for parts in (named, alone, tracking) for part in list(dict.fromkeys(parts))[:MAX_EACH]]
    return list(dict.fromkeys(kept))


def _mended(row: str) -> str:
    """A row without the two signs that the reader mistakes most: "0rder" for "Order", "n9 10234" for "nº 10234"."""
    return _ORDINAL.sub("nº ", _ZERO_FOR_O.sub("O", row))


def _strings(value: Any) -> list[str]:
    return [text(item, 200) for item in value] if isinstance(value, list) else []
