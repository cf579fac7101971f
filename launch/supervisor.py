"""Keeps the product's processes running: starts them in order, restarts one that dies, stops them in reverse.

A child that dies before it was ever ready fails the start (its last lines say why). One that dies later is
restarted visibly, with growing pauses; one that dies again and again takes the whole product down, because a
half-dead product that looks alive is worse than one that is down.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from launch.console import LaunchError, child_line, done, fail, say

MAX_DEATHS = 5
DEATHS_WINDOW_S = 60.0
STOP_BUDGET_S = 13.0
POLL_S = 0.1


@dataclass
class Child:
    """One process: how to start it, and how to know that it is ready."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    ready_timeout_s: float = 120.0
    quiet: bool = False
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=deque)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    restart_at: float | None = None

    def start(self) -> None:
        """Start the process in a session of its own (Ctrl-C reaches the supervisor only)."""
        self.restart_at = None
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        threading.Thread(target=self._pump, args=(self.process,), daemon=True).start()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        """Why it ended: the lines on the screen, or those of a child that is kept off it."""
        if not self.quiet:
            return "Its last lines are above."
        return "Its last lines:\n" + ("\n".join(f"    {line}" for line in self.last_lines) or "    (none)")

    def _pump(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            if line and not self.quiet:
                child_line(self.name, line)


class Supervisor:
    """Runs children until told to stop. `run` returns the exit status of the whole product."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stopping = threading.Event()

    def start(self) -> None:
        """Start every child in order, each after the one before it is ready. Raises LaunchError."""
        for child in self.children:
            if self.stopping.is_set():
                return
            say(f"Starting {child.name} ...")
            child.start()
            self._wait_until_ready(child)

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + child.ready_timeout_s
        while not self.stopping.is_set():
            if not child.is_alive():
                raise LaunchError(f"{child.name} did not start. {child.last_words()}")
            if child.is_ready():
                return
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"{child.name} was not ready within {child.ready_timeout_s:.0f} s. {child.last_words()}"
                )
            time.sleep(POLL_S)

    def watch(self) -> int:
        """Restart what dies until told to stop (0) or until a child keeps dying (1)."""
        while not self.stopping.wait(POLL_S):
            for child in self.children:
                if not self._tend(child):
                    return 1
        return 0

    def _tend(self, child: Child) -> bool:
        """Restart `child` when it is due. False when it keeps dying."""
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                say(f"Restarting {child.name} ...")
                child.start()
            return True
        if child.is_alive():
            return True
        assert child.process is not None
        child.deaths.append(now)
        while child.deaths and child.deaths[0] < now - DEATHS_WINDOW_S:
            child.deaths.popleft()
        if len(child.deaths) >= MAX_DEATHS:
            fail(f"{child.name} died {MAX_DEATHS} times within a minute; stopping everything. {child.last_words()}")
            return False
        pause = min(0.2 * 2 ** (len(child.deaths) - 1), 5.0)
        fail(f"{child.name} died ({_reason(child.process.returncode)}); starting it again in {pause:.1f} s.")
        child.restart_at = now + pause
        return True

    def stop(self) -> None:
        """Stop the children in reverse order, killing what has not stopped within the budget."""
        deadline = time.monotonic() + STOP_BUDGET_S
        for child in reversed(self.children):
            if not child.is_alive():
                continue
            assert child.process is not None
            child.process.terminate()
            # The first ones (servers) finish what is in flight; Redis, the last, needs a second at most.
            remaining = max(0.5, deadline - time.monotonic() - 1.0)
            try:
                child.process.wait(remaining)
            except subprocess.TimeoutExpired:
                fail(f"{child.name} did not stop in time; killed. What it had in hand stays queued.")
                child.process.kill()
                child.process.wait()

    def run(self, when_ready: Callable[[], None]) -> int:
        """Start, announce, watch, stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        status = 1
        try:
            self.start()
            if not self.stopping.is_set():
                when_ready()
            status = self.watch()
        except LaunchError as error:
            fail(str(error))
        finally:
            say("Stopping ...")
            self.stop()
            done("Stopped.")
        return status


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor is killed, so that nothing is left behind (Linux)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() == 1:
        os.kill(os.getpid(), signal.SIGTERM)


def _reason(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"

