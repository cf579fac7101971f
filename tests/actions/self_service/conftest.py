"""A shop's system over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from actions.self_service.performing import SelfService
from actions.skill import services
from tests.actions.self_service.talking import ALL, Port
from twin.shop_system import ShopSystem, make_shop_app

SECRET = "kept between the shop and the assistant"


@pytest.fixture
async def shop(serving: Callable[[Any], Any]) -> SimpleNamespace:
    """`.url` as SHOP_API_URL, `.system` with its faults and what it did, `.secret`."""
    system = ShopSystem(SECRET)
    return SimpleNamespace(url=f"{await serving(make_shop_app(system))}/shop", system=system, secret=SECRET)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Port:
    port = Port()
    service = SelfService(port, ALL, within_s=0.5, pause_s=0.1)
    monkeypatch.setattr(services, "self_service", lambda: service)
    return port


@pytest.fixture
async def serving() -> AsyncIterator[Callable[[Any], Any]]:
    """Serves an application, or a handler for every path; gives its address."""
    runners = []

    async def serve(app: Any) -> str:
        if not isinstance(app, web.Application):
            handler, app = app, web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()
