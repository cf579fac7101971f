"""`python -m twin`: starts with what the environment says, and stops at once when asked."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from aiohttp import web, web_protocol

from launch.processes import answers, free_port
from tests.children import child, python
from twin.configuration import ConfigurationMissing, from_environment
from twin.connections import Gone
from twin.phone.pages import icon

SECRETS = {"WHATSAPP_APP_SECRET": "s", "WHATSAPP_ACCESS_TOKEN": "t", "WHATSAPP_PHONE_NUMBER_ID": "1"}


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationMissing, match="WHATSAPP_ACCESS_TOKEN, WHATSAPP_PHONE_NUMBER_ID"):
        from_environment({"WHATSAPP_APP_SECRET": "s"})


def test_a_server_on_every_address_is_reached_on_the_loopback_one() -> None:
    shop = from_environment({**SECRETS, "HOST": "0.0.0.0", "RASA_PORT": "5006"})
    assert shop.webhook_url == "http://127.0.0.1:5006/webhooks/whatsapp/webhook"
    assert shop.ticketing == "log"


def test_tickets_come_to_the_desk_when_the_helpdesk_is_zendesks() -> None:
    shop = from_environment({**SECRETS, "ZENDESK_URL": "http://127.0.0.1:8080/helpdesk", "RASA_PORT": "5006"})
    assert shop.ticketing == "zendesk"
    assert shop.helpdesk_webhook_url == "http://127.0.0.1:5006/webhooks/zendesk/webhook"


def test_a_shop_shows_its_own_drawing_or_its_initials_and_nothing_that_runs(tmp_path: Path) -> None:
    environment = {**SECRETS, "SHOP_NAME": "Oak & <Spoke>", "SHOP_ICON": str(tmp_path / "icon.svg")}
    drawn = icon(from_environment(environment))
    assert b">O<" in bytes(drawn.body)
    (tmp_path / "icon.svg").write_text("<svg/>")
    drawn = icon(from_environment(environment))
    assert (drawn.body, drawn.headers["Content-Security-Policy"][:18]) == (b"<svg/>", "default-src 'none'")


@pytest.mark.parametrize(("goes", "said"), [(True, []), (False, ["Error handling request"])])
async def test_a_browser_that_goes_while_its_request_comes_is_no_error_and_what_a_handler_raises_is(
    goes: bool, said: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def comes(connection: web_protocol.RequestHandler, data: bytes) -> None:
        if goes and (waiter := connection._waiter):  # behind the handler's wake-up, before its turn
            waiter.add_done_callback(lambda _: connection.connection_lost(None))
        received(connection, data)

    async def broken(_: web.BaseRequest) -> web.Response:
        raise RuntimeError("ours")

    received = web_protocol.RequestHandler.data_received
    monkeypatch.setattr(web_protocol.RequestHandler, "data_received", comes)
    gone, port = Gone(), free_port()
    logging.getLogger("aiohttp.server").addFilter(gone)
    runner = web.ServerRunner(web.Server(broken))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.05)  # it waits for a request
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asyncio.sleep(0.1)
    writer.close()
    await runner.cleanup()
    logging.getLogger("aiohttp.server").removeFilter(gone)
    assert [record.message for record in caplog.records if record.name == "aiohttp.server"] == said


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_within_seconds_while_a_browser_listens(tmp_path: Path, how: signal.Signals) -> None:
    port = free_port()
    environment = {**SECRETS, "TWIN_PORT": str(port), "STATE_DIR": str(tmp_path), "HOST": "127.0.0.1"}
    with child(python("-m", "twin"), environment) as process:
        deadline = time.monotonic() + 20
        while not answers(f"http://127.0.0.1:{port}/") and time.monotonic() < deadline:
            time.sleep(0.05)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/phone/api/events", timeout=5) as stream:
            assert stream.readline() == b"retry: 1000\n"
            process.send_signal(how)
            process.wait(8)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass
    assert process.returncode in (0, -how, 128 + how)
