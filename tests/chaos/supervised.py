"""The product under its own supervisor (`python -m launch serve`), whose processes can be killed from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from benchmarks import webhooks
from launch.processes import answers, free_port
from settings import PROJECT_ROOT

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
# What the command line of each process holds. A Redis shows its address instead of its options.
COMMANDS = {"rasa": " connectors.server", "actions": " launch.action_server", "worker": " worker", "redis": "-server "}


class Supervised:
    """A running `launch serve` with everything under `folder`; its output is in `folder/serve.log`."""

    def __init__(self, folder: Path, graph_url: str, workers: int) -> None:
        self.rasa_port = free_port()
        self.url = f"http://127.0.0.1:{self.rasa_port}"
        self.log = folder / "serve.log"
        environment = {
            **os.environ, "STATE_DIR": str(folder / "state"), "LLM_PROVIDER": "none", "TICKETING": "log",
            "RASA_PORT": str(self.rasa_port), "ACTION_PORT": str(free_port()), "RASA_WORKERS": str(workers),
            "WHATSAPP_VERIFY_TOKEN": "verify", "WHATSAPP_APP_SECRET": webhooks.APP_SECRET,
            "WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_PHONE_NUMBER_ID": webhooks.PHONE_NUMBER_ID,
            "WHATSAPP_GRAPH_URL": graph_url, "REDIS_URL": "",
        }  # fmt: skip
        with self.log.open("wb") as log:
            self._launcher = subprocess.Popen(
                [sys.executable, "-m", "launch", "serve"], env=environment, cwd=PROJECT_ROOT,
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        """Raises AssertionError with the output when it does not start."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(f"{self.url}/webhooks/whatsapp/"):
            assert self._launcher.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.3)

    def kill(self, *names: str) -> None:
        """kill -9 all processes of these names at once."""
        pids = {name: self._pids(COMMANDS[name]) for name in names}
        assert all(pids.values()), f"not running: {pids}"
        for pid in chain(*pids.values()):
            os.kill(pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        return self._launcher.poll() is None

    def output(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-6000:]

    def stop(self) -> None:
        self._launcher.terminate()
        try:
            self._launcher.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            self._launcher.wait()

    def _pids(self, command: str) -> list[int]:
        """Children of the launcher whose command line has these words."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self._launcher.pid)], capture_output=True, text=True, check=False
        ).stdout
        found = [line.split(maxsplit=1) for line in listed.splitlines()]
        return [int(pid) for pid, arguments in found if command in f"{arguments} "]


@contextmanager
def supervised(folder: Path, graph_url: str, workers: int = 1) -> Iterator[Supervised]:
    """A started product, stopped at the end whatever happens."""
    product = Supervised(folder, graph_url, workers)
    try:
        product.wait_until_ready()
        yield product
    finally:
        product.stop()
