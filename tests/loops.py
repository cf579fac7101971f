"""An asyncio server on a thread of its own, ended with everything that it began."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from sanic import Sanic

T = TypeVar("T")
STARTS_WITHIN_S = 20.0
ENDS_WITHIN_S = 10.0


@contextlib.contextmanager
def on_a_thread(serving: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """What `serving` yields, while it runs. Tasks that are left at the end are cancelled and awaited."""
    ready, found = threading.Event(), dict[str, Any]()

    async def run() -> None:
        found["loop"], found["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with serving() as value:
            found["value"] = value
            ready.set()
            await found["stop"].wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(STARTS_WITHIN_S), "the server did not start"
    try:
        yield found["value"]
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(ENDS_WITHIN_S)
        assert not thread.is_alive(), "the server did not end"


@contextlib.asynccontextmanager
async def listening(app: Sanic, port: int) -> AsyncIterator[None]:
    """Serves the routes of a channel."""
    server = await app.create_server(host="127.0.0.1", port=port, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    await server.start_serving()
    yield
    server.close()
    await server.wait_closed()
