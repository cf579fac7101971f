"""The accounts that are set, each tried against a stand-in of its API."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import settings
from workbench.shop_check import credentials
from workbench.shop_check.findings import ShopFinding

SECRET = "hush-hush-0123456789"


class StandIn(ThreadingHTTPServer):
    """Answers everything with `status`; `asked` holds the methods and paths."""

    status = 200

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def api() -> Iterator[StandIn]:
    server = StandIn()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


ACCOUNTS = {
    "llm": {"LLM_PROVIDER": "openai", "OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "{url}/v1"},
    "helpdesk": {"TICKETING": "freshdesk", "FRESHDESK_URL": "{url}", "FRESHDESK_API_KEY": SECRET},
    "whatsapp": {"WHATSAPP_GRAPH_URL": "{url}/v25.0", "WHATSAPP_ACCESS_TOKEN": SECRET,
                 "WHATSAPP_PHONE_NUMBER_ID": "106540352242922"},
    "passages": {"PASSAGE_STORE_URL": "pinecone+{url}", "PINECONE_API_KEY": SECRET},
    "embeddings": {"EMBEDDINGS_URL": "{url}/v1", "EMBEDDINGS_API_KEY": SECRET},
}  # fmt: skip


def tried(about: str, url: str, monkeypatch: pytest.MonkeyPatch) -> list[ShopFinding]:
    """What is said of one account at this address."""
    for name, value in ACCOUNTS[about].items():
        monkeypatch.setenv(name, value.format(url=url))
    found = list(credentials.credential_findings(settings.load()))
    assert SECRET not in repr(found)
    assert [one.about for one in found] == [about]
    return found


@pytest.mark.parametrize(("about", "status", "level"), [
    pytest.param("llm", 200, "information", marks=pytest.mark.slow),  # its types alone take two seconds to import
    pytest.param("llm", 401, "error", marks=pytest.mark.slow),
    ("helpdesk", 404, "information"), ("helpdesk", 401, "error"),
    ("helpdesk", 503, "error"), ("whatsapp", 200, "information"), ("whatsapp", 401, "error"),
    ("whatsapp", 400, "error"), ("embeddings", 200, "error"), ("embeddings", 401, "error"),
    ("passages", 401, "error"), ("passages", 503, "error"),
])  # fmt: skip
def test_an_account_is_tried_with_a_harmless_call(
    folder: Path, api: StandIn, monkeypatch: pytest.MonkeyPatch, about: str, status: int, level: str
) -> None:
    api.status = status
    found = tried(about, api.url, monkeypatch)
    assert [one.level for one in found] == [level], found
    assert len(api.asked) == 1 or {call.split()[0] for call in api.asked} == {"GET"}
    assert (level == "error") == bool(found[0].remedy)


@pytest.mark.parametrize("about", list(ACCOUNTS))
def test_an_account_that_never_answers_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, about: str
) -> None:
    monkeypatch.setattr(credentials, "TIMEOUT_S", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        found = tried(about, f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        assert time.monotonic() - began < 20
    assert [one.level for one in found] == ["error"]


@pytest.mark.parametrize(("actions", "url", "level", "said"), [
    ("[cancel]", "https://shop.example", "information", "is asked for: cancel"),
    ("[cancel, returns]", None, "information", "cancel, returns become tickets"),
    ("[]", "https://shop.example", "warning", "lists no actions"),
])
def test_what_the_shop_itself_is_asked_to_do_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, actions: str, url: str | None, level: str, said: str
) -> None:
    path = folder / "shop.yml"
    path.write_text(f"{path.read_text()}\nactions: {actions}\n")
    if url:
        monkeypatch.setenv("SHOP_API_URL", url)
        monkeypatch.setenv("SHOP_API_SECRET", "s")
    found = [one for one in credentials.credential_findings(settings.load()) if one.about == "self-service"]
    assert [(one.level, said in one.problem) for one in found] == [(level, True)]


def test_nothing_is_called_that_is_not_set(folder: Path) -> None:
    assert not list(credentials.credential_findings(settings.load()))
