"""Whatever started a command of ours, Ctrl-C and SIGTERM end it."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.children import child, python

COMMAND = "import signals, time; signals.restore(); print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_by_inheritance_counts_again(number: signal.Signals) -> None:
    # What a shell without job control does to a command with `&`.
    command = ["bash", "-c", "trap '' INT TERM; exec \"$@\"", "bash", *python("-c", COMMAND)]
    with child(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        assert process.wait(10) == -number


def test_a_signal_that_is_blocked_by_inheritance_counts_again() -> None:
    command = python("-c", COMMAND)
    blocked = f"import os, signal; signal.pthread_sigmask(0, [2, 15]); os.execv({command[0]!r}, {command!r})"
    with child(python("-c", blocked), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT


def test_nohup_stays_in_force() -> None:
    command = ["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *python("-c", COMMAND)]
    with child(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
