"""What work costs, so that a slow or busy machine judges as a fast one does: how the cost grows with the text, and how
many times that of a fixed piece of work it is. Never seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

TIMES = 8  # as long is the longer text
GROWTH = 16.0  # at most, where linear is 8 and quadratic 64
TRIES = 3  # the best counts: a core that is shared makes some dear, never all cheap
_FIXED = "order #10234 of asha, 2 kurtas: ₹1,299.00 on 12/03/2024 " * 80
_TOKENS = re.compile(r"[a-z]+|\d+(?:[.,/]\d+)*|\S")


def grows_with_length(work: Callable[[str], object], unit: str, length: int, end: str = "") -> bool:
    """Whether `work` on a text that repeats `unit` costs some eight times as much when the text is eight times as long
    (`length` characters, `end` behind it), and not the square of that."""

    def cost(long: int, longer_by: int) -> float:  # no text twice: answers may be remembered
        text = unit * (long // len(unit) + longer_by) + end
        return processor_time(lambda: work(text))

    cheap = min(cost(length // TIMES, place) for place in range(TRIES))
    return any(cost(length, place) <= GROWTH * cheap for place in range(TRIES))


def is_within(fixed_works: float, work: Callable[[], object]) -> bool:
    """Whether `work` costs at most so many times what some fixed work of this interpreter does."""
    return any(processor_time(work) <= fixed_works * processor_time(fixed_work) for _ in range(TRIES))


def processor_time(work: Callable[[], object]) -> float:
    """Seconds that this thread's processor had to do with it."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def fixed_work() -> int:
    """One or two milliseconds of a processor."""
    seen: dict[str, int] = {}
    for found in _TOKENS.finditer(_FIXED):
        token = found.group().lower()
        seen[token] = seen.get(token, 0) + len(token)
    return sum(seen.values())
