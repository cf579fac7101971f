"""A shop's system over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from aiohttp import web

from actions.self_service.performing import SelfService
from actions.skill import services
from tests.actions.self_service.talking import ALL, Port
from twin.shop_system import ShopSystem, make_shop_app

SECRET = "kept between the shop and the assistant"


@pytest.fixture
async def shop() -> AsyncIterator[SimpleNamespace]:
    """`.url` as SHOP_API_URL, `.system` with its faults and what it did, `.secret`."""
    system = ShopSystem(SECRET)
    runner = web.AppRunner(make_shop_app(system), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{runner.addresses[0][1]}/shop", system=system, secret=SECRET)
    await runner.cleanup()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Port:
    port = Port()
    service = SelfService(port, ALL, within_s=0.5, pause_s=0.1)
    monkeypatch.setattr(services, "self_service", lambda: service)
    return port
