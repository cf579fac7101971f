"""A chat in the terminal that shows what the assistant thinks: intents, who chose which action, and the reply.

The dialogue is the real one with the newest model and an action server of its own; state lies in a temporary folder, so
nothing of a running assistant is touched and no ticket leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

import settings
from workbench.phrases import PROJECT_ROOT
from workbench.trained_nlu import NoTrainedModel

_START_TIMEOUT_S = 60
_HIDDEN = ("action_listen", "action_session_start")


def chat(console: Console, phone: str) -> None:
    """Talk until an empty line, `quit` or the end of input. Raises NoTrainedModel."""
    archives = sorted((PROJECT_ROOT / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not archives:
        raise NoTrainedModel("There is no trained model: run `make train`.")
    with tempfile.TemporaryDirectory() as state, _action_server(state) as url:
        console.print(f"[dim]{archives[-1].name}; you write as {phone}. An empty line ends the chat.[/]")
        asyncio.run(_converse(console, str(archives[-1]), url, phone))


async def _converse(console: Console, archive: str, url: str, phone: str) -> None:
    # Rasa takes ten seconds to import, and warns of its own dependencies: only when somebody chats, and quietly.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    with contextlib.redirect_stderr(io.StringIO()):
        from rasa.core.agent import Agent
        from rasa.core.channels import CollectingOutputChannel, UserMessage
        from rasa.utils.endpoints import EndpointConfig
        from rasa.utils.log_utils import configure_structlog
    warnings.filterwarnings("ignore")

    configure_structlog(logging.ERROR)
    logging.basicConfig(level=logging.ERROR)
    agent = Agent.load(archive, action_endpoint=EndpointConfig(f"{url}/webhook"))
    seen = 0
    while text := await asyncio.to_thread(_ask, console):
        output = CollectingOutputChannel()
        metadata = _metadata(text, phone)
        await agent.handle_message(UserMessage(text, output, phone, metadata=metadata))
        tracker = await agent.tracker_store.retrieve(phone)
        events = [event.as_dict() for event in tracker.events] if tracker else []
        for line in explain(events[seen:]):
            console.print(line)
        seen = len(events)


def explain(events: list[dict[str, Any]]) -> Iterator[str]:
    """One turn's events as lines of rich markup, in order."""
    for event in events:
        if event["event"] == "user":
            yield _understood(event.get("parse_data") or {})
        elif event["event"] == "action" and event.get("name") not in _HIDDEN:
            confidence = f" {event['confidence']:.2f}" if event.get("confidence") is not None else ""
            chosen_by = escape(str(event.get("policy") or "form"))
            yield f"[dim]  {chosen_by}{confidence} → {escape(str(event.get('name')))}[/]"
        elif event["event"] == "slot" and event.get("value") is not None:
            yield f"[dim]  {escape(event['name'])} = {escape(str(event['value'])[:100])}[/]"
        elif event["event"] == "bot":
            yield f"[green]{escape(event.get('text') or '')}[/]"
            for button in (event.get("data") or {}).get("buttons") or []:
                yield f"[green]  {escape('[' + button['title'] + ']')}[/]"


def _understood(parsed: Mapping[str, Any]) -> str:
    ranking = ", ".join(f"{i['name']} {i['confidence']:.2f}" for i in parsed.get("intent_ranking", [])[:3])
    numbers = " ".join(f"#{entity['value']}" for entity in parsed.get("entities", []))
    return f"[dim]  {escape(ranking)} {escape(numbers)} {parsed.get('language') or ''}[/]".rstrip()


def _ask(console: Console) -> str:
    try:
        text = console.input("[bold]> [/]").strip()
    except EOFError:
        return ""
    return "" if text == "quit" else text


def _metadata(text: str, phone: str) -> dict[str, Any]:
    """What the channel would have set for a typed message."""
    now = time.time()
    return {
        "wamid": f"chat.{uuid.uuid4().hex}",
        "customer": phone.lstrip("+"),
        "wa_id": phone.lstrip("+"),
        "user_id": None,
        "phone": phone,
        "profile_name": None,
        "kind": "text",
        "timestamp": int(now),
        "typed": text,
        "reply_to": None,
        "media": [],
        "received_at": now,
    }


@contextlib.contextmanager
def _action_server(state: str) -> Iterator[str]:
    """An action server on a free port: conversations and tickets lie in `state`, the orders are the configured ones."""
    port = _free_port()
    environment = {
        **os.environ,
        "STATE_DIR": state,
        "ORDERS_DATABASE_URL": str(settings.load().orders_database_url),
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


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own http address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("The action server did not start; its message stands above.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
