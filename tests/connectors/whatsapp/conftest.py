"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.connectors.whatsapp.channel_server import Server


@pytest.fixture(scope="module")
def running(redis_server_url: str) -> Iterator[Server]:
    server = Server(redis_server_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: Server, redis_url: str) -> Server:
    running.inbox.entries, running.inbox.records, running.inbox.broken = [], [], False
    running.is_ready = True
    return running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
