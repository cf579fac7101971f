"""Several real Redis servers that a test can kill: a master with replicas behind sentinels, or a cluster."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from redis.crc import key_slot

from launch.embedded_redis import server_binary
from launch.processes import quiet_port
from tests import children

SERVICE = "assistant"
PASSWORD = "p@ss/word"  # of servers and sentinels
QUOTED = quote(PASSWORD, safe="")
FAST = (
    *("--requirepass", PASSWORD, "--masterauth", PASSWORD),
    *("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0"),
)
DOWN_AFTER_MS = 1000
SLOTS_THAT_MOVE = [key_slot(name) for name in (b"{wa}", b"{identity}", b"{wa:0}", b"{wa:1}", b"{wa:2}")]


class Servers:
    """Servers on ports of this machine, each in a folder of its own; killed at the end of the test."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._commands: dict[int, list[str]] = {}
        self._running: dict[int, subprocess.Popen[Any]] = {}

    def add(self, *options: str, config: str | None = None) -> int:
        """Start one more and return its port; with `config` a sentinel, which writes into that file."""
        port = quiet_port()
        home = self._folder / str(port)
        home.mkdir(parents=True)
        places = ["--port", str(port), "--dir", str(home), "--logfile", str(home / "log"), "--bind", "127.0.0.1"]
        if config is None:
            self._commands[port] = [server_binary(), *places, *options]
        else:
            (home / "sentinel.conf").write_text(config)
            self._commands[port] = [server_binary(), str(home / "sentinel.conf"), "--sentinel", *places]
        self.start(port)
        return port

    def start(self, port: int, *options: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._running[port] = self._stack.enter_context(children.child([*self._commands[port], *options], **quiet))
        until(lambda: self.client(port).ping() or True, "a server does not answer")

    def kill(self, port: int) -> None:
        """kill -9."""
        self._running[port].kill()
        self._running[port].wait(10)

    def is_running(self, port: int) -> bool:
        return self._running[port].poll() is None

    def pause(self, port: int) -> None:
        """It keeps its connections and answers nothing, until `resume`."""
        children.suspend(self._running[port].pid)

    def resume(self, port: int) -> None:
        self._running[port].send_signal(signal.SIGCONT)

    def client(self, port: int) -> redis.Redis[str]:
        return redis.Redis(
            port=port, password=PASSWORD, decode_responses=True, socket_timeout=5, socket_connect_timeout=1
        )


def until(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """Wait until the condition holds and return it; a server that does not answer counts as not yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(redis.RedisError):
            if found := condition():
                return found
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class WithSentinels:
    """A master, two replicas and three sentinels."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._servers = Servers(folder, stack)
        self.kill, self.client = self._servers.kill, self._servers.client
        self.pause = self._servers.pause
        first = self._servers.add(*FAST)
        self.ports = [first, *(self._servers.add(*FAST, "--replicaof", "127.0.0.1", str(first)) for _ in range(2))]
        lines = (
            f"sentinel monitor {SERVICE} 127.0.0.1 {first} 2",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 3000",
            f"sentinel parallel-syncs {SERVICE} 2",
            f'sentinel auth-pass {SERVICE} "{PASSWORD}"',
            f'requirepass "{PASSWORD}"',
            f'sentinel sentinel-pass "{PASSWORD}"',
        )
        self.sentinels = [self._servers.add(config="\n".join(lines) + "\n") for _ in range(3)]
        self.wait_until_whole()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://:{QUOTED}@{hosts}/{SERVICE}?sentinel_password={QUOTED}"

    def master(self) -> int:
        """The port of the master, as the sentinels agree on it."""

        def agreed() -> int | None:
            command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            named = {self.client(port).execute_command(*command)[1] for port in self.sentinels}
            (port,) = named if len(named) == 1 else (None,)
            return int(port) if port and self.client(int(port)).execute_command("ROLE")[0] == "master" else None

        return int(until(agreed, "the sentinels agree on no master"))

    def replicas(self) -> list[int]:
        master = self.master()
        return [port for port in self.ports if port != master]

    def new_master(self, old: int) -> int:
        """Wait until another server than the old one is the master."""
        return int(until(lambda: (port := self.master()) != old and port, "no new master was made"))

    def join(self, port: int) -> None:
        """Bring a killed or paused server back as a replica of the master of now, which sentinels take 10 s for."""
        if self._servers.is_running(port):
            self._servers.resume(port)
            self.client(port).replicaof("127.0.0.1", self.master())
        else:
            self._servers.start(port, "--replicaof", "127.0.0.1", str(self.master()))
        self.wait_until_whole()

    def restart(self, end: Callable[[int], None] | None = None) -> None:
        """Kill the master, wait for the new one, bring the old one back behind it."""
        old = self.master()
        (end or self.kill)(old)
        self.new_master(old)
        self.join(old)

    def hang(self) -> None:
        """The master hangs until another is the master."""
        self.restart(self.pause)

    def start(self) -> None:
        """They run as long as the block that started them."""

    def stop(self) -> None:
        """What runs ends with the block that started it."""

    def wait_until_whole(self) -> None:
        """The master has both replicas, and every sentinel knows of them and of the other sentinels."""

        def whole() -> bool:
            info = self.client(self.master()).info("replication")
            known = [self.client(port).execute_command("SENTINEL", "MASTER", SERVICE) for port in self.sentinels]
            told = [dict(zip(one[::2], one[1::2], strict=True)) if isinstance(one, list) else one for one in known]
            seen = all(int(one["num-slaves"]) >= 2 and int(one["num-other-sentinels"]) == 2 for one in told)
            online = [info.get(f"slave{n}", {}).get("state") == "online" for n in range(2)]
            return seen and all(online)

        until(whole, "the replicas did not come back", 30)


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._servers = Servers(folder, stack)
        self.kill, self.client, self.pause = self._servers.kill, self._servers.client, self._servers.pause
        options = (*FAST, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        buses = [quiet_port() for _ in range(6)]  # not ten thousand above the port, where somebody else may be
        self.ports = [self._servers.add(*options, "--cluster-port", str(bus)) for bus in buses]
        bounds = [0, 5461, 10923, 16384]
        for n, port in enumerate(self.ports[:3]):
            self.client(port).execute_command("CLUSTER ADDSLOTSRANGE", bounds[n], bounds[n + 1] - 1)
        for port in self.ports[1:]:
            self.client(port).execute_command("CLUSTER MEET", "127.0.0.1", self.ports[0], buses[0])
        until(lambda: all(len(self._nodes(port)) == 6 for port in self.ports), "the servers did not meet")
        for port, master in zip(self.ports[3:], self.ports[:3], strict=True):
            name = self.id_of(master)
            until(lambda: self._replicate(port, name), "a replica knows no master")  # noqa: B023
        self.wait_until_whole()

    def _replicate(self, port: int, master: str) -> bool:
        self.client(port).execute_command("CLUSTER REPLICATE", master)
        return True

    @property
    def url(self) -> str:
        return f"redis+cluster://:{QUOTED}@" + ",".join(f"127.0.0.1:{port}" for port in self.ports[:4])

    def _nodes(self, port: int) -> list[Any]:
        return self._asked(port, "NODES").splitlines()

    def id_of(self, port: int) -> str:
        return str(self.client(port).execute_command("CLUSTER MYID"))

    def masters(self) -> list[int]:
        """The ports of those that are masters by their own word."""
        found = []
        for port in self.ports:
            with contextlib.suppress(redis.RedisError):
                if self.client(port).execute_command("ROLE")[0] == "master":
                    found.append(port)
        return found

    def new_master(self, old: int) -> None:
        """Wait until all slots are served without the old one."""
        until(lambda: self._is_ok(old), "nobody took the slots over")

    def _is_ok(self, without: int | None = None) -> bool:
        asked = [port for port in self.ports if port != without]
        return all("cluster_state:ok" in self._asked(port, "INFO") for port in asked)

    def _asked(self, port: int, what: str) -> Any:
        """What CLUSTER … answers, not as redis-py reads it."""
        connection = self.client(port).connection_pool.get_connection("_")
        connection.send_command("CLUSTER", what)
        return connection.read_response()

    def join(self, port: int) -> None:
        """Bring a killed or paused server back; it finds its place by itself."""
        if self._servers.is_running(port):
            self._servers.resume(port)
        else:
            self._servers.start(port)
        self.wait_until_whole()

    def restart(self, end: Callable[[int], None] | None = None) -> None:
        """Kill a master, wait until its replica serves, bring it back."""
        old = self.masters()[0]
        (end or self.kill)(old)
        self.new_master(old)
        self.join(old)

    def hang(self) -> None:
        """A master hangs until its replica serves, while slots move."""
        self.restart(self.pause)
        for slot in SLOTS_THAT_MOVE:
            self.move_slot(slot)

    def start(self) -> None:
        """They run as long as the block that started them."""

    def stop(self) -> None:
        """What runs ends with the block that started it."""

    def wait_until_whole(self) -> None:
        """All slots are served, and every master has its replica."""

        def whole() -> bool:
            masters = self.masters()
            replicas = [self.client(port).info("replication").get("slave0", {}).get("state") for port in masters]
            return len(masters) == 3 and replicas == ["online"] * 3 and self._is_ok()

        until(whole, "the cluster did not become whole", 30)

    def move_slot(self, slot: int, pause_s: float = 0.3) -> None:
        """Move a slot with its keys to another master, key by key, as resharding does."""
        source = next(port for port in self.masters() if self._has(port, slot))
        target = next(port for port in self.masters() if port != source)
        names = {port: self.id_of(port) for port in (source, target)}
        self.client(target).execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[source])
        self.client(source).execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[target])
        time.sleep(pause_s)
        while keys := self.client(source).execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            self.client(source).execute_command(
                "MIGRATE", "127.0.0.1", target, "", 0, 2000, "AUTH", PASSWORD, "KEYS", *keys
            )
        for port in (target, source, *self.masters()):
            self.client(port).execute_command("CLUSTER SETSLOT", slot, "NODE", names[target])

    def _has(self, port: int, slot: int) -> bool:
        told = self._asked(port, "SLOTS")
        return any(first <= slot <= last and int(master[1]) == port for first, last, master, *_ in told)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """The servers as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        yield Cluster(folder, stack)


@contextlib.contextmanager
def with_sentinels(folder: Path) -> Iterator[WithSentinels]:
    """The servers as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        yield WithSentinels(folder, stack)
