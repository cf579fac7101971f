"""Who is let in at the console, and what it does with strange questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import load
from workbench.console.answers import Answers
from workbench.console.server import ConsoleServer

TOKEN = "a long random text"


class Told(Answers):
    """Answers without a product."""

    def turns(self, customer: str) -> list[dict[str, Any]]:
        return [{"id": customer}]

    def figures(self) -> dict[str, Any]:
        raise RuntimeError("with a customer's words: +919876543210")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with ConsoleServer(Told(load()), TOKEN) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=bearer) as one:
            yield one
        server.shutdown()


@pytest.mark.parametrize("path", ["/", "/why.js", "/api/turns?customer=1"])
def test_nobody_is_let_in_without_the_token(client: httpx.Client, path: str) -> None:
    for given in ("", "Bearer wrong", "Basic x"):
        answer = httpx.get(f"{client.base_url}{path}", headers={"Authorization": given})
        assert (answer.status_code, answer.content) == (401, b"")
    assert client.get(path).status_code == 200
    assert httpx.get(f"{client.base_url}{path}", auth=("me", TOKEN)).status_code == 200


def test_other_web_pages_can_ask_for_nothing_to_be_done(client: httpx.Client) -> None:
    wish = {"customer": "1", "id": "1", "kind": "phrase", "label": "greet"}
    assert client.post("/api/copy", json=wish, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/api/copy", data={"customer": "1"}).status_code == 403


@pytest.mark.parametrize(("path", "status"), [
    ("/../server.py", 404), ("/%2e%2e/answers.py", 404), ("/api/nothing", 404), ("/api/turns", 400),
    ("/api/what-if?complaint=x", 400), ("/api/figures", 500),
])  # fmt: skip
def test_strange_questions_are_answered_without_a_customers_words(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert "919876543210" not in answer.text


def test_only_the_demo_starts_over(client: httpx.Client) -> None:
    answer = client.post("/api/forget", json={"customer": "919876543210"})
    assert (answer.status_code, "make run" in answer.text) == (404, True)


def test_make_serve_has_no_inspector_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.console import __main__ as command

    monkeypatch.delenv("INSPECTOR_TOKEN", raising=False)
    assert command.main() == 2
