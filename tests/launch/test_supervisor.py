"""The supervisor: ordered start, visible restarts, clean and bounded stop. Children are real processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from launch.console import LaunchError
from launch.supervisor import (
    MAX_FAILURES,
    STOP_BACKENDS,
    STOP_FRONTS,
    STOP_STORES,
    Child,
    Supervisor,
    die_with_parent,
)
from tests import children

SLEEPER = "import time; time.sleep(60)"


def child(tmp_path: Path, name: str, code: str, ready: bool = True) -> Child:
    marker = tmp_path / f"{name}.started"
    script = f"open({str(marker)!r}, 'a').write('x'); {code}"
    return Child(name, [sys.executable, "-c", script], dict(os.environ), marker.exists if ready else lambda: False,
                 ready_timeout_s=10)


def starts(tmp_path: Path, name: str) -> int:
    marker = tmp_path / f"{name}.started"
    return len(marker.read_text()) if marker.exists() else 0


def wait_for(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_child_that_dies_at_start_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    broken = child(tmp_path, "broken", "raise SystemExit('no such module: shop')", ready=False)
    broken.quiet = True
    with pytest.raises(LaunchError, match="no such module: shop"):
        Supervisor([broken]).start()


def test_a_child_that_the_product_can_do_without_takes_nobody_down(tmp_path: Path) -> None:
    extra = child(tmp_path, "extra", "raise SystemExit(1)")
    extra.vital = False
    extra.deaths.extend((time.monotonic(), 1) for _ in range(MAX_FAILURES))
    extra.start()
    wait_for(lambda: not extra.is_alive())
    assert Supervisor([extra])._tend(extra)
    assert extra.restart_at is not None


def test_child_that_never_gets_ready_fails_the_start(tmp_path: Path) -> None:
    slow = child(tmp_path, "slow", SLEEPER, ready=False)
    slow.ready_timeout_s = 0.3
    supervisor = Supervisor([slow])
    with pytest.raises(LaunchError, match="not ready within"):
        supervisor.start()
    supervisor.stop()
    assert not slow.is_alive()


def test_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    victim = child(tmp_path, "victim", SLEEPER)
    supervisor = Supervisor([victim])
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch, daemon=True)
    watching.start()
    assert victim.process is not None
    os.kill(victim.process.pid, signal.SIGKILL)
    wait_for(lambda: starts(tmp_path, "victim") == 2)
    supervisor.stopping.set()
    watching.join(5)
    supervisor.stop()


def test_a_wish_of_another_name_kills_whom_it_stands_for(tmp_path: Path) -> None:
    folder = tmp_path / "kill"
    folder.mkdir()
    victim, other = child(tmp_path, "redis-1", SLEEPER), child(tmp_path, "redis-2", SLEEPER)
    supervisor = Supervisor([victim, other], folder, {"failover": lambda: "redis-1"})
    supervisor.start()
    (folder / "failover").touch()
    supervisor._kill_as_asked()
    wait_for(lambda: not victim.is_alive())
    assert other.is_alive()
    supervisor.stop()


@pytest.mark.slow
@pytest.mark.parametrize("names", [["early"], ["late"], ["early", "late"]])
def test_children_that_are_killed_while_others_start_are_started_again(tmp_path: Path, names: list[str]) -> None:
    early, late = child(tmp_path, "early", SLEEPER), child(tmp_path, "late", SLEEPER, ready=False)
    supervisor = Supervisor([early, late])
    late.is_ready = lambda: all(starts(tmp_path, name) == 2 for name in names) and early.is_alive()

    def kill() -> None:
        wait_for(lambda: starts(tmp_path, "early") and starts(tmp_path, "late"))
        for one in (early, late):
            if one.name in names and one.process is not None:
                os.kill(one.process.pid, signal.SIGKILL)

    killing = threading.Thread(target=kill, daemon=True)
    killing.start()
    supervisor.start()  # in this thread: the kernel ends children with the thread that made them
    assert (early.is_alive(), late.is_alive()) == (True, True)
    killing.join(10)
    supervisor.stop()


@pytest.mark.slow
def test_child_that_is_killed_again_and_again_is_started_again_and_again() -> None:
    victim = Child("victim", ["sleep", "60"], dict(os.environ), lambda: True)
    supervisor = Supervisor([victim])
    supervisor.start()
    for _ in range(MAX_FAILURES + 3):
        assert victim.process is not None
        victim.process.kill()
        victim.process.wait()
        assert supervisor._tend(victim)
        victim.restart_at = 0.0
        assert supervisor._tend(victim)
        assert victim.is_alive()
    supervisor.stop()


@pytest.mark.slow
def test_the_demo_has_children_killed_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    one, two, other = (child(tmp_path, name, SLEEPER) for name in ("rasa-1", "rasa-2", "worker"))
    supervisor = Supervisor([one, two, other], kill_folder=tmp_path / "kill")
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    try:
        (tmp_path / "kill").mkdir()
        (tmp_path / "kill" / "rasa").touch()
        wait_for(lambda: starts(tmp_path, "rasa-1") == 2 and starts(tmp_path, "rasa-2") == 2)
        assert starts(tmp_path, "worker") == 1
        assert list((tmp_path / "kill").iterdir()) == []
    finally:
        supervisor.stopping.set()
        watcher.join()
        supervisor.stop()


@pytest.mark.slow
def test_child_that_keeps_failing_takes_the_product_down(tmp_path: Path) -> None:
    doomed = child(tmp_path, "doomed", "import time; time.sleep(0.3); raise SystemExit(3)")
    supervisor = Supervisor([child(tmp_path, "healthy", SLEEPER), doomed])
    supervisor.start()
    assert supervisor.watch() == 1
    assert starts(tmp_path, "doomed") == MAX_FAILURES
    supervisor.stop()
    assert not any(one.is_alive() for one in supervisor.children)


def polite(tmp_path: Path, name: str, group: int, takes_s: float = 0.0) -> Child:
    """A child that writes to `order` when it is told to stop and when, `takes_s` later, it has stopped."""
    log = str(tmp_path / "order")
    code = (
        "import signal, sys, time\n"
        f"say = lambda word: open({log!r}, 'a').write(word + ' ')\n"
        f"def stop(*_): say({name!r} + '<'); time.sleep({takes_s}); say('>' + {name!r}); sys.exit(0)\n"
        f"signal.signal(signal.SIGTERM, stop); open({str(tmp_path / name)!r} + '.set', 'w').close()\n"
        "time.sleep(60)"
    )
    made = child(tmp_path, name, "\n" + code)
    made.is_ready, made.stop_group = (tmp_path / f"{name}.set").exists, group
    return made


def test_servers_stop_first_then_what_they_call_then_the_stores(tmp_path: Path) -> None:
    redis, twin = polite(tmp_path, "redis", STOP_STORES), polite(tmp_path, "twin", STOP_BACKENDS, 0.2)
    server = polite(tmp_path, "server", STOP_FRONTS, 0.2)
    supervisor = Supervisor([redis, server, twin])
    supervisor.start()
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["server<", ">server", "twin<", ">twin", "redis<", ">redis"]


@pytest.mark.slow
def test_many_servers_stop_at_the_same_time(tmp_path: Path) -> None:
    servers = [polite(tmp_path, f"s{number}", STOP_FRONTS, 2.0) for number in range(5)]
    supervisor = Supervisor(servers)
    supervisor.start()
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 9
    words = (tmp_path / "order").read_text().split()
    assert len(words) == 10
    assert all(word.endswith("<") for word in words[:5])


@pytest.mark.slow
def test_deaf_children_are_killed_within_the_budget_however_many_there_are(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("launch.supervisor.STOP_BUDGET_S", 3.0)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); import time; time.sleep(60)"
    children = [child(tmp_path, f"deaf-{number}", deaf) for number in range(4)]
    for each, group in zip(children, (STOP_FRONTS, STOP_FRONTS, STOP_BACKENDS, STOP_STORES), strict=True):
        each.stop_group = group
    supervisor = Supervisor(children)
    supervisor.start()
    time.sleep(0.3)
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 9
    assert not any(one.is_alive() for one in children)


@pytest.mark.parametrize(("parent", "signals"), [(1, []), (77, [signal.SIGTERM])])
def test_child_of_a_supervisor_that_is_process_1_lives(monkeypatch, parent: int, signals: list[int]) -> None:
    sent: list[int] = []
    monkeypatch.setattr("launch.supervisor.ctypes.CDLL", lambda _: Mock())
    monkeypatch.setattr("launch.supervisor.os.getppid", lambda: parent)
    monkeypatch.setattr("launch.supervisor.os.kill", lambda _, number: sent.append(number))
    die_with_parent(1)
    assert sent == signals


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_children_go_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    inner = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from launch.supervisor import Child, Supervisor\n"
        f"child = Child('c', [sys.executable, '-c', {inner!r}], dict(os.environ), Path({str(pid_file)!r}).exists)\n"
        "Supervisor([child]).start(); time.sleep(60)\n"
    )
    with children.child(children.python("-c", code)):
        wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
        pid = int(pid_file.read_text())

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        except FileNotFoundError:
            return True

    wait_for(gone)
