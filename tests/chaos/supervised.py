"""The product under its own supervisor (`python -m launch serve`), whose processes can be killed from outside."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import webhooks
from launch.processes import answers, free_port
from tests import children
from tests.known_pages import bring_pages

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
# What the command line of each process holds. A Redis shows its address instead of its options.
COMMANDS = {"rasa": " connectors.server", "actions": " launch.action_server", "worker": " worker", "redis": "-server "}


class Supervised:
    """A running `launch serve`; its output is in `log`."""

    def __init__(self, launcher: subprocess.Popen[Any], url: str, log: Path) -> None:
        self._launcher, self.url, self._log = launcher, url, log

    def wait_until_ready(self) -> None:
        """Raises AssertionError with the output when it does not start."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(f"{self.url}/webhooks/whatsapp/"):
            assert self.is_alive(), self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.3)

    def kill(self, *names: str) -> None:
        """kill -9 all processes of these names at once."""
        running = {name: self._children(COMMANDS[name]) for name in names}
        assert all(running.values()), f"not running: {running}"
        for process in [process for found in running.values() for process in found]:
            process.kill()

    def is_alive(self) -> bool:
        return self._launcher.poll() is None

    def output(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(errors="replace")[-6000:]

    def stop(self) -> None:
        """As an operator does; what does not stop in time is killed by whoever started it."""
        self._launcher.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._launcher.wait(STOP_TIMEOUT_S)

    def _children(self, words: str) -> list[psutil.Process]:
        found = []
        for process in psutil.Process(self._launcher.pid).children():
            with contextlib.suppress(psutil.Error):
                if words in " ".join(process.cmdline()) + " ":
                    found.append(process)
        return found


@contextlib.contextmanager
def supervised(folder: Path, graph_url: str, workers: int = 1) -> Iterator[Supervised]:
    """A started product with everything under `folder`, stopped at the end whatever happens."""
    port, log_file = free_port(), folder / "serve.log"
    environment = {
        "STATE_DIR": str(folder / "state"), "LLM_PROVIDER": "none", "TICKETING": "log", "REDIS_URL": "",
        "RASA_PORT": str(port), "ACTION_PORT": str(free_port()), "RASA_WORKERS": str(workers),
        "WHATSAPP_VERIFY_TOKEN": "verify", "WHATSAPP_APP_SECRET": webhooks.APP_SECRET,
        "WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_PHONE_NUMBER_ID": webhooks.PHONE_NUMBER_ID,
        "WHATSAPP_GRAPH_URL": graph_url, "BURST_WAIT_S": "0",
    }  # fmt: skip
    bring_pages(folder / "state")
    command = children.python("-m", "launch", "serve")
    with log_file.open("wb") as log, children.child(command, environment, stdout=log, stderr=log) as launcher:
        product = Supervised(launcher, f"http://127.0.0.1:{port}", log_file)
        try:
            product.wait_until_ready()
            yield product
        finally:
            product.stop()
