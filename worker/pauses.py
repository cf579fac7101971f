"""Waiting that ends when the worker is told to stop, and rounds with such pauses between."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except asyncio.TimeoutError:
        return


async def rounds(
    stop: asyncio.Event, work: Callable[[], Awaitable[object]], away: tuple[type[Exception], ...], event: str,
    every_s: float, retry_s: float,
) -> None:
    """`work` again and again until `stop`, `every_s` apart; after one of `away`, which log `event`, `retry_s`."""
    while not stop.is_set():
        wait_s = every_s
        try:
            await work()
        except away as error:
            log.warning("%s error=%s", event, type(error).__name__)
            wait_s = retry_s
        await pause(stop, wait_s)
