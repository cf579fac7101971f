"""Processes that a test starts: whatever happens in the test, they are gone at its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
GONE_WITHIN_S = 10.0


def python(*arguments: str) -> list[str]:
    """A command line of this Python."""
    return [sys.executable, *arguments]


def ended(
    command: Sequence[str], within_s: float, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """What a command says until its end. When that is late, it goes with all that it started, which
    `subprocess.run` leaves behind."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with child(command, environment, **pipes, **options) as process:
        said, complained = process.communicate(timeout=within_s)
    return subprocess.CompletedProcess(command, process.returncode, said, complained)


@contextlib.contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any
) -> Iterator[subprocess.Popen[Any]]:
    """A process with what it starts (its process group), killed at the end of the block when it still runs.

    It reads nothing and starts in the project's folder; `environment` comes on top of ours.
    """
    options = {"cwd": ROOT, "stdin": subprocess.DEVNULL, "start_new_session": True, **options}
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(GONE_WITHIN_S)
        for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
            pipe.close()


def below(pid: int, *words: str) -> list[psutil.Process]:
    """The processes that a process started, and those started by them, whose command line holds one of the words; all
    without any. One that ends while it is looked at is none."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            line = f"{' '.join(process.cmdline())} "
            if not words or any(word in line for word in words):
                found.append(process)
    return found


def suspend(pid: int) -> None:
    """SIGSTOP, and every thread has stopped: on a busy machine one answers a while longer."""
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + GONE_WITHIN_S
    while any(_state(thread) not in "TtZX" for thread in Path(f"/proc/{pid}/task").glob("*")):
        assert time.monotonic() < until, f"process {pid} does not stop"
        time.sleep(0.01)


def _state(thread: Path) -> str:
    """The letter of proc_pid_stat(5): T is stopped."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"
