"""A stand-in of the Graph API's answers about apps, accounts and subscriptions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

APP, ACCOUNT, NUMBER = "7001", "8001", "106540352242922"
TOKEN, SECRET = "EAAB-token-canary", "app-secret-canary"
PATH = "/webhooks/whatsapp/webhook"
Answers = dict[str, tuple[int, Any]]


def subscription(**changed: Any) -> tuple[int, Any]:
    """What Meta tells of the app's webhook."""
    one = {"object": "whatsapp_business_account", "callback_url": f"https://shop.example{PATH}", "active": True,
           "fields": [{"name": "messages", "version": "v25.0"}], **changed}  # fmt: skip
    return 200, {"data": [one]}


def account(app: str | None = APP) -> tuple[int, Any]:
    """What Meta tells of who gets the account's messages."""
    return 200, {"data": [{"whatsapp_business_api_data": {"id": app}}] if app else []}


def good() -> Answers:
    """Answers of an account without a mistake."""
    return {"app": (200, {"id": APP}), f"{APP}/subscriptions": subscription(), f"{ACCOUNT}/subscribed_apps": account(),
            f"{ACCOUNT}/message_templates": (200, {"data": []}), NUMBER: (200, {"id": NUMBER})}  # fmt: skip


class StandIn(ThreadingHTTPServer):
    """`asked` holds (path, bearer); `ahead_s` is how far its clock is ahead."""

    def __init__(self, answers: Answers, ahead_s: float) -> None:
        self.answers, self.ahead_s = answers, ahead_s
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v25.0"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/v25.0/")
        self.server.asked.append((self.path, self.headers["Authorization"].removeprefix("Bearer ")))
        status, body = self.server.answers.get(path, (404, {}))
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.server.ahead_s, usegmt=True))
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def serving(answers: Answers, ahead_s: float = 0) -> Iterator[StandIn]:
    """The stand-in, while the block runs."""
    server = StandIn(answers, ahead_s)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
