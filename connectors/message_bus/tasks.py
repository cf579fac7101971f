"""Ending background tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def end(tasks: Iterable[asyncio.Task[Any]], within_s: float = 3.0) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: redis-py turns a cancellation that arrives together with an answer into a time-out (it
    waits through `async_timeout`), and a loop that survives time-outs would then run for ever.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    pending = {task for task in tasks if not task.done()}
    while pending and asyncio.get_running_loop().time() < deadline:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)
