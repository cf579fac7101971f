"""Every process that a test starts ends: `make test` must not wait for one for ever."""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import children

TESTS = Path(__file__).resolve().parents[1]
# `children.child` itself; the product of the journeys, which ends as Ctrl-C ends it, then by force.
STARTERS = {"children.py", "journeys/shop.py"}


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for path in sorted(TESTS.rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if name.rpartition(".")[2] in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield path.relative_to(TESTS), node


@pytest.mark.slow
def test_processes_are_started_where_they_are_ended() -> None:
    found = {str(path) for name in ("subprocess.Popen", "Popen") for path, _ in calls(name)}
    assert found <= STARTERS, "use tests.children.child"


@pytest.mark.slow
def test_commands_have_a_time_limit() -> None:
    unbounded = [
        f"{path}:{call.lineno}"
        for path, call in calls("subprocess.run")
        if not any(word.arg in (None, "timeout") for word in call.keywords)
    ]
    assert unbounded == []


@pytest.mark.parametrize("deaf", ["", "trap '' INT TERM; "])
def test_a_child_and_what_it_starts_are_gone_after_a_test_that_fails(deaf: str) -> None:
    command = ["bash", "-c", f"{deaf}sleep 60 & echo $!; sleep 60"]
    fails = contextlib.suppress(RuntimeError)
    with fails, children.child(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        raise RuntimeError("the test failed")
    assert process.returncode is not None
    deadline = time.monotonic() + 10
    while runs(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_database_server_ends_with_the_processes_of_whoever_interrupts_the_tests(postgres_url: str) -> None:
    """pg_ctl leaves its server to nobody: no Ctrl-C reached it."""
    port = postgres_url.rpartition(":")[2].partition("/")[0]
    assert children.below(os.getpid(), f" {port} ")
