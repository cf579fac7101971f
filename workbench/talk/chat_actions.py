"""An action server for a talk in the terminal, beside whatever else runs on the machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import settings
from launch import demo_orders
from launch.processes import free_port
from workbench.nlu.phrases import PROJECT_ROOT

_START_TIMEOUT_S = 120


class ChatUnavailable(RuntimeError):
    """There can be no talk now; the message says why and what to do."""


@contextlib.contextmanager
def action_server(state: str) -> Iterator[str]:
    """An action server on a free port: conversations and tickets lie in `state`, the orders are the configured ones."""
    port = free_port()
    orders = _orders_url(state)
    environment = dict(os.environ)
    settings.load().replace_in(environment)
    environment.pop("SHOP_API_URL", None)  # nothing is done outside for what a designer tries
    environment |= {
        settings.COMPLETE: "1",
        "STATE_DIR": state,
        "ORDERS_DATABASE_URL": orders,
        "CONVERSATION_DATABASE_URL": f"sqlite:///{state}/conversations.db",
        "TICKETING": "log",
        "HOST": "127.0.0.1",
        "ACTION_PORT": str(port),
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    server = subprocess.Popen([sys.executable, "-m", "launch.action_server"], cwd=PROJECT_ROOT, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=15)


def _orders_url(state: str) -> str:
    """The configured orders database; the demo's orders while its file does not exist yet."""
    url = str(settings.load().orders_database_url)
    if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists():
        return url
    demo_orders.seed(f"sqlite:///{state}/orders.db", date.today())
    return f"sqlite:///{state}/orders.db"


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own http address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise ChatUnavailable("The action server did not start: correct what its message above names.")
