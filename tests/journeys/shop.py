"""The whole product as a customer meets it: the launcher's real processes, and customers who write through the twin.

    def test_something(shop):
        asha = shop.customer("+919876543210")
        replies = asha.say("where is my order?")      # bodies as Graph accepted them, in order, until it is quiet
        replies = asha.pick("#10234")                 # a row of the newest list; `tap` presses a reply button
        assert "#10234" in words(replies)
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
import redis

from connectors.message_bus import keys
from launch.processes import free_port
from launch.supervisor import die_with_parent
from tests import children
from tests.known_pages import bring_pages

PROJECT_ROOT = Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 420.0
STOP_TIMEOUT_S = 20.0
FIRST_REPLY_S = 30.0
QUIET_S = 1.2

Body = dict[str, Any]


def words(bodies: Body | list[Body]) -> str:
    """Everything that the customer can read in these messages, buttons and rows included."""
    if isinstance(bodies, dict):
        bodies = [bodies]
    return "\n".join(text for body in bodies for text in _texts(body))


def _texts(body: Body) -> list[str]:
    content = body[body.get("type", "text")]
    if body.get("type") != "interactive":
        keys = ("body", "caption", "filename", "name", "address", "link", "emoji")
        return [str(content[key]) for key in keys if isinstance(content, dict) and content.get(key)]
    action = content["action"]
    parts = [content.get("header", {}).get("text"), content["body"]["text"], content.get("footer", {}).get("text")]
    parts += [option["title"] for option in options(body)]
    parts += [option.get("description") for option in options(body)]
    parameters = action.get("parameters", {})
    parts += [action.get("button"), parameters.get("display_text"), parameters.get("url")]
    return [part for part in parts if part]


def options(body: Body) -> list[dict[str, str]]:
    """The reply buttons or list rows of a message: {id, title, description?}."""
    action = body.get("interactive", {}).get("action", {})
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    return [button["reply"] for button in action.get("buttons", [])] + rows


class ShopDidNotStart(RuntimeError):
    """`python -m launch run` was not ready in time; the message ends with its output."""


class Shop:
    """A running product on ports and a STATE_DIR of its own. Use as a context manager.

    `helpdesk` sends tickets to the twin's stand-in for Zendesk, else they stay in the log.
    """

    def __init__(self, state_dir: Path, command: str = "run", helpdesk: bool = False, **environment: str) -> None:
        self.state_dir = state_dir
        self.command = command
        self.ports = {name: free_port() for name in ("RASA_PORT", "ACTION_PORT", "TWIN_PORT")}
        self.twin_url = f"http://127.0.0.1:{self.ports['TWIN_PORT']}"
        self.environment = {"LLM_PROVIDER": "none", "TICKETING": "log", "RASA_WORKERS": "1", "BURST_WAIT_S": "0.2"}
        if helpdesk:
            self.environment |= {
                "TICKETING": "zendesk",
                "ZENDESK_URL": f"{self.twin_url}/helpdesk",
                "ZENDESK_OAUTH_TOKEN": secrets.token_hex(8),
                "ZENDESK_WEBHOOK_SECRET": secrets.token_hex(8),
            }
        self.environment |= environment
        self.rasa_url = f"http://127.0.0.1:{self.ports['RASA_PORT']}"
        self.output = state_dir / "run.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.twin = httpx.Client(base_url=self.twin_url, timeout=90)

    def __enter__(self) -> Shop:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the processes and wait until the channel is healthy. Raises ShopDidNotStart."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        bring_pages(self.state_dir)
        environment = {**os.environ, "HOST": "127.0.0.1", "STATE_DIR": str(self.state_dir), **self.environment}
        environment |= {name: str(port) for name, port in self.ports.items()}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "launch", self.command],
                cwd=PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
                # Whoever is killed instead of told to end leaves nothing behind.
                preexec_fn=partial(die_with_parent, os.getpid()) if sys.platform == "linux" else None,
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.is_ready():
                return
            time.sleep(0.3)
        self.stop()
        end = "\n".join(self.output.read_text(errors="replace").splitlines()[-40:])
        raise ShopDidNotStart(f"`python -m launch {self.command}` was not ready. The end of its output:\n{end}")

    def is_ready(self) -> bool:
        """Whether the channel answers, and the twin too when there is one."""
        try:
            healthy = httpx.get(f"{self.rasa_url}/webhooks/whatsapp/", timeout=2).status_code == 200
            return healthy and (self.command != "run" or self.twin.get("/phone/api/state").status_code == 200)
        except httpx.HTTPError:
            return False

    def stop(self) -> int | None:
        """Stop as Ctrl-C does; the exit status. What does not stop in time is killed, with all its children."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode

    def children(self, *modules: str) -> list[psutil.Process]:
        """The product's processes whose command line holds one of these; all without any."""
        assert self.process is not None
        return children.below(self.process.pid, *modules)

    def kill(self, *modules: str) -> None:
        """kill -9 those of the product's processes, all at once; its supervisor starts them again."""
        victims = self.children(*modules)
        assert victims, modules
        for victim in victims:
            victim.kill()

    def customer(self, who: str) -> Customer:
        """The holder of a phone number (E.164) or of a user id ("IN.1234")."""
        return Customer(self.twin, who, self.is_at_rest)

    def is_at_rest(self) -> bool:
        """Whether no message waits to be answered or sent; False where Redis does not say."""
        try:
            url = (self.state_dir / "redis.url").read_text()
            with redis.Redis.from_url(url, socket_timeout=1) as client:
                asked = client.pipeline(transaction=False)
                for name in (keys.inbox_stream, keys.outbox_stream):
                    for partition in range(keys.PARTITIONS):
                        asked.xlen(name(partition))
                return not any(asked.execute())
        except (OSError, redis.RedisError):
            return False

    def sent(self, since: int = 0) -> list[dict[str, Any]]:
        """Every message that Graph accepted from n = `since` on: {n, at, to, wamid, body}."""
        return list(self.twin.get("/control/sent", params={"since": since}).json()["sent"])

    def refused(self) -> list[dict[str, Any]]:
        """Bodies that broke one of Meta's rules. Empty in a product that works."""
        return list(self.twin.get("/control/refused").json()["refused"])

    def tickets(self) -> list[dict[str, Any]]:
        """The helpdesk's tickets, each with its `comments` and `requester`."""
        return list(self.twin.get("/helpdesk/desk/tickets").json()["tickets"])

    def agent_writes(
        self, ticket: int, body: str = "", public: bool = True, status: str | None = None, file: bytes = b""
    ) -> None:
        """What an agent does at the desk: a reply or a private note, and perhaps a new status ("solved") or a file."""
        data: dict[str, Any] = {"body": body, "public": public, "status": status}
        if file:
            kept = self.twin.post("/helpdesk/desk/files", params={"name": "invoice.pdf"}, content=file)
            data["attachments"] = [kept.json()["content_url"]]
        self.twin.post(f"/helpdesk/desk/tickets/{ticket}/reply", json=data).raise_for_status()

    def control(self, what: str, **data: Any) -> dict[str, Any]:
        """POST to the twin's control API: faults, habits, window, batch, webhook, reset."""
        response = self.twin.post(f"/control/{what}", json=data)
        response.raise_for_status()
        return dict(response.json())


class Customer:
    """One customer with a phone. Methods that write return the replies that followed, until the shop was at rest."""

    def __init__(self, twin: httpx.Client, who: str, at_rest: Callable[[], bool]) -> None:
        self.twin, self._at_rest = twin, at_rest
        self.who = who
        self.key = who.lstrip("+")
        self.heard: list[Body] = []
        self._wamids: list[str] = []
        self._next = int(twin.get("/control/sent", params={"since": 10**9}).json()["next"])

    def say(self, text: str, **more: Any) -> list[Body]:
        """Type a message and send it."""
        return self.send("text", text=text, **more)

    def tap(self, title: str) -> list[Body]:
        """Press the reply button of that title, the newest if there are several."""
        return self._choose("button_reply", title)

    def pick(self, title: str) -> list[Body]:
        """Choose the row of that title from a list, the newest if there are several."""
        return self._choose("list_reply", title)

    def send(self, kind: str, **fields: Any) -> list[Body]:
        """Send any kind of message: image, voice, location, contacts, reaction, unsupported, raw, …"""
        self.write(kind, **fields)
        return self.listen()

    def write(self, kind: str = "text", **fields: Any) -> str:
        """Send without waiting for an answer; the wamid."""
        response = self.twin.post("/control/messages", json={"customer": self.who, "kind": kind, **fields})
        response.raise_for_status()
        return str(response.json()["wamid"])

    def listen(self, first_s: float = FIRST_REPLY_S, quiet_s: float | None = None) -> list[Body]:
        """Replies until none came for `quiet_s` (else: until nothing waits); empty without one within `first_s`."""
        replies = more = self._fetch(first_s)
        while more:
            quiet_at = time.monotonic() + (QUIET_S if quiet_s is None else quiet_s)
            more, settled = [], False
            while not (more or settled) and time.monotonic() < quiet_at:
                settled = quiet_s is None and self._at_rest()
                more = self._fetch(0 if settled else 0.1)
            replies = replies + more
        return replies

    def hears_nothing(self, seconds: float) -> bool:
        """Whether no reply came for that long."""
        return not self.listen(first_s=seconds)

    def _fetch(self, wait_s: float) -> list[Body]:
        query = {"since": self._next, "customer": self.key, "wait": wait_s}
        answer = self.twin.get("/control/sent", params=query).json()
        self._next = answer["next"]
        self.heard += [entry["body"] for entry in answer["sent"]]
        self._wamids += [entry["wamid"] for entry in answer["sent"]]
        return [entry["body"] for entry in answer["sent"]]

    def option(self, title: str) -> tuple[str, dict[str, str]] | None:
        """The newest button or row of that title: the wamid of its message, and the option."""
        for body, wamid in zip(reversed(self.heard), reversed(self._wamids), strict=True):
            for option in options(body):
                if option["title"] == title:
                    return wamid, option
        return None

    def _choose(self, kind: str, title: str) -> list[Body]:
        found = self.option(title)
        if found is None:
            raise AssertionError(
                f"No button or row {title!r} in what the customer was shown:\n{words(self.heard[-3:])}"
            )
        return self.send(kind, to=found[0], id=found[1]["id"], title=title)
