"""Keeps the product's processes running: starts them in order, restarts one that dies, stops them group by group.

A child that fails before it was ever ready fails the start (its last lines say why). One that dies later, be it while
others still start, is restarted visibly, with growing pauses; one that fails again and again takes the whole product
down, because a half-dead product that looks alive is worse than one that is down. One that somebody kills did not fail.
"""

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
from functools import partial
from pathlib import Path

from launch.console import LaunchError, child_line, done, fail, say

MAX_FAILURES = 5
DEATHS_WINDOW_S = 60.0
KILLED = (-signal.SIGKILL, -signal.SIGTERM)
STOP_BUDGET_S = 13.0
STOP_FRONTS, STOP_BACKENDS, STOP_STORES = range(3)
"""Groups that stop one after the other: who answers customers, then whom they call, then where things are kept."""
POLL_S = 0.1
EVERYTHING = "everything"
"""The file in `kill_folder` that stops the product as Ctrl-C does."""


@dataclass
class Child:
    """One process: how to start it, and how to know that it is ready."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    ready_timeout_s: float = 120.0
    quiet: bool = False
    stop_group: int = STOP_FRONTS
    vital: bool = True  # without the others the product is worse, not down
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[tuple[float, int]] = field(default_factory=deque)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    restart_at: float | None = None
    started_at: float = 0.0

    def start(self) -> None:
        """Start the process in a session of its own (Ctrl-C reaches the supervisor only)."""
        self.restart_at, self.started_at = None, time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()) if sys.platform == "linux" else None,
        )
        threading.Thread(target=self._pump, args=(self.process,), daemon=True).start()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def failed(self) -> bool:
        """Whether it ended by itself. Whoever was killed did not fail."""
        return self.process is not None and self.process.poll() not in (None, *KILLED)

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

    def __init__(
        self,
        children: list[Child],
        kill_folder: Path | None = None,
        also: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        """`kill_folder`: a file there has the children whose names begin with its own killed, and started again.

        `also`: what else such a file may be called, and how the child is found then.
        """
        self.children = children
        self._kill_folder, self._also = kill_folder, also or {}
        self.stopping = threading.Event()

    def start(self) -> None:
        """Start every child in order, each after the one before it is ready. Raises LaunchError."""
        for place, child in enumerate(self.children):
            if self.stopping.is_set():
                return
            say(f"Starting {child.name} ...")
            child.start()
            self._wait_until_ready(child, self.children[:place])

    def _wait_until_ready(self, child: Child, earlier: list[Child]) -> None:
        """Wait for one child and keep those before it running: the first server answers while the others start."""
        while not self.stopping.is_set():
            if child.failed():
                raise LaunchError(f"{child.name} did not start. {child.last_words()}")
            for one in (*earlier, child):
                if not self._tend(one):
                    raise LaunchError(f"{one.name} keeps failing.")
            if child.is_alive() and child.is_ready():
                return
            if child.is_alive() and time.monotonic() > child.started_at + child.ready_timeout_s:
                raise LaunchError(
                    f"{child.name} was not ready within {child.ready_timeout_s:.0f} s. {child.last_words()}"
                )
            time.sleep(POLL_S)

    def watch(self) -> int:
        """Restart what dies until told to stop (0) or until a child keeps failing (1)."""
        while not self.stopping.wait(POLL_S):
            self._kill_as_asked()
            for child in self.children:
                if not self._tend(child):
                    return 1
        return 0

    def _kill_as_asked(self) -> None:
        """For the demo, which shows what happens then: as `kill -9` does, without a warning."""
        for wish in self._kill_folder.glob("*") if self._kill_folder else ():
            wish.unlink(missing_ok=True)
            if wish.name == EVERYTHING:
                self.stopping.set()
            name = self._also[wish.name]() if wish.name in self._also else wish.name
            for child in self.children:
                if child.name.startswith(name) and child.process is not None:
                    child.process.kill()

    def _tend(self, child: Child) -> bool:
        """Restart `child` when it is due. False when it keeps failing."""
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                say(f"Restarting {child.name} ...")
                child.start()
            return True
        if child.is_alive():
            return True
        assert child.process is not None
        child.deaths.append((now, child.process.returncode))
        while child.deaths[0][0] < now - DEATHS_WINDOW_S:
            child.deaths.popleft()
        if child.vital and sum(returncode not in KILLED for _, returncode in child.deaths) >= MAX_FAILURES:
            fail(f"{child.name} died {MAX_FAILURES} times within a minute; stopping everything. {child.last_words()}")
            return False
        pause = min(0.2 * 2 ** min(len(child.deaths) - 1, 8), 5.0)
        fail(f"{child.name} died ({_reason(child.process.returncode)}); starting it again in {pause:.1f} s.")
        child.restart_at = now + pause
        return True

    def stop(self) -> None:
        """Stop the children group by group, those of a group together, killing what outlasts the budget."""
        deadline = time.monotonic() + STOP_BUDGET_S
        groups = sorted({child.stop_group for child in self.children})
        for place, group in enumerate(groups, start=1):
            # The first ones (servers) finish what is in flight; those after them need a second at most.
            reserved_s = 1.0 * (len(groups) - place)
            _stop_together([child for child in self.children if child.stop_group == group], deadline - reserved_s)

    def run(self, when_ready: Callable[[], None]) -> int:
        """Start, announce, watch, stop."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda *_: self.stopping.set()) for number in numbers]
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
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
        return status


def _stop_together(children: list[Child], deadline: float) -> None:
    """Tell all of them to stop, wait for them until `deadline` (monotonic seconds), kill the rest."""
    alive = [(child, child.process) for child in children if child.process is not None and child.is_alive()]
    for _, process in alive:
        process.terminate()
    for child, process in alive:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            fail(f"{child.name} did not stop in time; killed. What it had in hand stays queued.")
            process.kill()
    for _, process in alive:
        process.wait()


def die_with_parent(supervisor: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor is killed, so that nothing is left behind (Linux).

    A supervisor that was killed before this line is noticed by its pid: in a container it may be 1 itself.
    """
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGTERM)


def _reason(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"

