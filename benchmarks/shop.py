"""The whole assistant as processes that can be killed and started again: for benchmarks and chaos."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import settings as settings_module
from benchmarks import buyers, webhooks
from launch import demo_orders
from launch.embedded_redis import EmbeddedRedis
from launch.processes import answers, child_environment, free_port
from settings import PROJECT_ROOT

HANG_S = 5.0


@dataclass
class Process:
    """One process of the shop; `ready` says when it can work."""

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], bool]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, env=self.environment, cwd=PROJECT_ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        if self.running is None or self.running.poll() is not None:
            return
        self.running.send_signal(how)
        try:
            self.running.wait(20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()

    def signal(self, which: int) -> None:
        """SIGSTOP, SIGCONT: it hangs, and goes on."""
        if self.running is not None:
            self.running.send_signal(which)

    async def wait_until_ready(self, timeout_s: float = 240) -> None:
        """Raises TimeoutError, or RuntimeError with the end of its log when it died."""
        for _ in range(int(timeout_s / 0.2)):
            if await asyncio.to_thread(self.ready):
                return
            if self.running is not None and self.running.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{self.name} is not ready:\n{self.log.read_text()[-2000:]}")


class RedisOfShop(Protocol):
    """The Redis that a shop brings up: the embedded one, or whatever else has an address."""

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def restart(self) -> None:
        """Kill what answers, and return when something answers again."""
        ...

    def hang(self) -> None:
        """Pause what answers, and return when something answers again."""
        ...


class RestartedRedis(EmbeddedRedis):
    """The embedded one, as a shop restarts it."""

    def restart(self) -> None:
        """kill -9, and start again from its append-only file."""
        running: Any = self.process
        running.kill()
        running.wait()
        self.start()

    def hang(self) -> None:
        """For longer than anybody waits for an answer."""
        running: Any = self.process
        running.send_signal(signal.SIGSTOP)
        time.sleep(HANG_S)
        running.send_signal(signal.SIGCONT)


@dataclass
class Shop:
    """Redis, action server, Rasa servers, worker; everything under `folder`."""

    folder: Path
    graph_url: str
    rasa_workers: int = 2
    with_worker: bool = True
    models: Path = PROJECT_ROOT / "models"
    actions: tuple[str, ...] = ("launch.action_server",)
    servers: RedisOfShop | None = None
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.redis: RedisOfShop = self.servers or RestartedRedis(self.folder / "redis", free_port())
        self.rasa_port, self.action_port = free_port(), free_port()
        self.environment = self._environment()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    def _environment(self) -> dict[str, str]:
        chosen = {
            **os.environ, "STATE_DIR": str(self.folder), "REDIS_URL": self.redis.url, "LLM_PROVIDER": "none",
            "RASA_PORT": str(self.rasa_port), "ACTION_PORT": str(self.action_port), "TICKETING": "log",
            "WHATSAPP_VERIFY_TOKEN": "verify", "WHATSAPP_APP_SECRET": webhooks.APP_SECRET,
            "WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_PHONE_NUMBER_ID": webhooks.PHONE_NUMBER_ID,
            "WHATSAPP_GRAPH_URL": self.graph_url, "LOG_LEVEL": "WARNING",
            "BURST_WAIT_S": "0",  # what is measured and killed is the turn of each message
        }  # fmt: skip
        settings = settings_module.load(chosen, self.folder / "no.env")
        demo_orders.prepare(settings)
        buyers.add_orders(settings.values["ORDERS_DATABASE_URL"] or "")
        (self.folder / "metrics").mkdir(exist_ok=True)
        return child_environment(settings)

    def python(self, name: str, arguments: list[str], ready: Callable[[], bool], **extra: str) -> Process:
        """A Python process of ours, with its log in the folder."""
        log = self.folder / f"{name}.log"
        process = Process(name, [sys.executable, *arguments], {**self.environment, **extra}, ready, log)
        self.processes.append(process)
        return process

    async def start(self) -> None:
        """Start all and wait until they are ready. Raises RuntimeError or TimeoutError."""
        await asyncio.to_thread(self.redis.start)
        self.add_action_server()
        for number in range(1, self.rasa_workers + 1):
            ready_file = self.folder / f"ready-{number}"
            ready_file.unlink(missing_ok=True)
            arguments = ["-m", "connectors.server", "--models", str(self.models)]
            self.python(f"rasa-{number}", arguments, ready_file.exists, READY_FILE=str(ready_file))
        if self.with_worker:
            self.python("worker", ["-m", "worker"], lambda: True)
        for process in self.processes:
            process.start()
        await asyncio.gather(*(process.wait_until_ready() for process in self.processes))

    def add_action_server(self) -> Process:
        health = f"http://127.0.0.1:{self.action_port}/health"
        return self.python("actions", ["-m", *self.actions], lambda: answers(health))

    def named(self, start: str) -> list[Process]:
        """The processes whose name starts so."""
        return [process for process in self.processes if process.name.startswith(start)]

    def stop(self) -> None:
        for process in self.processes:
            process.kill(signal.SIGTERM if process.name.startswith("rasa") else signal.SIGKILL)
        self.redis.stop()
