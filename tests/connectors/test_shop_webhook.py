"""The shop's own webhook over real HTTP: only what the shop signed counts, and it counts once."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sanic import Sanic

from connectors.shop import ShopChannel
from connectors.whatsapp.webhook.protocol_guard import MAX_BODY_BYTES
from connectors.whatsapp.webhook.signature import sign
from handoff.storage.database import Database
from handoff.updates.events import ShopEvents
from tests.conftest import free_port
from tests.loops import listening, on_a_thread

SECRET = "shop-secret"
EVENT = {"event_id": "e1", "type": "order.shipped", "order_id": "10234", "occurred_at": "2026-11-23T09:00:00Z"}


class Server:
    """A real Sanic server with the channel."""

    def __init__(self, db: Database, secret: str = SECRET, max_age_s: float = 0.0) -> None:
        self.port, self.events = free_port(), ShopEvents(db)
        self.app = Sanic(f"shop_{self.port}")

        async def never(_: Any) -> None:
            raise AssertionError("the webhook must not start turns")

        self.app.blueprint(ShopChannel(secret, self.events, max_age_s).blueprint(never), url_prefix="/webhooks/shop")

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[Server]:
        async with listening(self.app, self.port):
            yield self

    def post(self, body: Any = EVENT, *signatures: str, **more: str) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Shop-Signature-256": signatures[0] if signatures else sign(raw, SECRET), **more}
        url = f"http://127.0.0.1:{self.port}/webhooks/shop/webhook"
        return requests.post(url, data=raw, headers=headers, timeout=10).status_code


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with on_a_thread(Server(Database(f"sqlite:///{tmp_path / 'log.db'}")).serve) as running:
        yield running


def test_a_signed_event_is_stored_once(server: Server) -> None:
    assert [server.post() for _ in range(3)] == [200] * 3
    assert [event.event_id for event in server.events.due(2e9)] == ["e1"]


@pytest.mark.parametrize("signature", ["", "sha256=" + "0" * 64, "nonsense", sign(b"another body", SECRET)])
def test_what_the_shop_did_not_sign_is_refused_unread(server: Server, signature: str) -> None:
    assert server.post(EVENT, signature) == 401
    assert server.post(b"{", signature) == 401
    assert server.events.due(2e9) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", {**EVENT, "type": "lost"}, {**EVENT, "order_id": ""}])
def test_what_is_no_event_is_a_bad_request(server: Server, body: Any) -> None:
    assert server.post(body) == 400


def test_a_body_past_the_limit_is_too_large(server: Server) -> None:
    assert server.post(b"x" * (MAX_BODY_BYTES + 1)) == 413


def test_without_a_secret_nothing_is_believed(tmp_path: Path) -> None:
    with on_a_thread(Server(Database(f"sqlite:///{tmp_path / 'log.db'}"), secret="").serve) as open_to_none:
        assert open_to_none.post(EVENT, sign(json.dumps(EVENT).encode(), "")) == 401


def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    with on_a_thread(Server(Database("postgresql://u:p@127.0.0.1:1/none")).serve) as without_database:
        assert without_database.post() == 503


def sent(at: str, signed_at: str | None = None) -> dict[str, str]:
    """The headers of EVENT as a shop sends it that says when."""
    raw = f"{signed_at or at}.".encode() + json.dumps(EVENT).encode()
    return {"X-Shop-Timestamp": at, "X-Shop-Signature-256": sign(raw, SECRET)}


def test_what_says_when_it_was_sent_counts_only_for_a_while(server: Server) -> None:
    now = int(time.time())
    assert server.post(EVENT, **sent(str(now))) == 200
    for headers in (
        sent(str(now - 900)), sent(str(now + 900)), sent(str(now), signed_at=str(now - 900)), sent("soon"), sent("-5"),
        sent("9" * 13), {"X-Shop-Timestamp": str(now)},
        {"X-Shop-Signature-256": sent(str(now))["X-Shop-Signature-256"]},
    ):  # fmt: skip
        assert server.post(EVENT, **headers) == 401, headers
    assert [event.event_id for event in server.events.due(2e9)] == ["e1"]


def test_where_an_age_is_set_the_time_of_sending_is_needed(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'log.db'}")
    with on_a_thread(Server(database, max_age_s=60).serve) as server:
        now = int(time.time())
        assert [server.post(), server.post(EVENT, **sent(str(now - 90)))] == [401, 401]
        assert server.post(EVENT, **sent(str(now))) == 200
