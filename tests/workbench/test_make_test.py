"""`make test` for designers: their files first, a failing check explained, and never a green end without training."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from launch import testing
from launch.console import LaunchError
from launch.testing import Check
from tests import children

OK = [sys.executable, "-c", "print('fine')"]


def fails(words: str, status: int = 1) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({words!r}); sys.exit({status})"]


def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, designers: Check, *checks: Check,
    trains: Callable[[], Path] | bool = True, code: tuple[Check, ...] = (),
) -> int:  # fmt: skip
    def train() -> Path:
        if not trains:
            raise LaunchError("Training failed.")
        return trains() if callable(trains) else tmp_path / "model.tar.gz"

    monkeypatch.setenv("TEST_SERVERS_IN", str(tmp_path))  # set to a folder that goes: afterwards it is as before
    monkeypatch.setattr(testing, "DESIGNERS", designers)
    monkeypatch.setattr(testing, "CODE", code)
    monkeypatch.setattr(testing, "RESULTS", tmp_path / "results")
    *others, last = checks
    monkeypatch.setattr(testing, "rasas_own", lambda model: others)
    monkeypatch.setattr(testing, "everything_else", lambda folder: last)
    monkeypatch.setattr(testing.training, "train", train)
    return testing.run_everything()


def test_everything_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, tmp_path, Check("files", OK, "fix"), Check("one", OK, "fix")) == 0
    assert "checks: 3 passed, 0 failed" in capfd.readouterr().out


def test_a_designers_mistake_fails_though_everything_else_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, Check("files", fails("domain.yml:7"), "fix it"), Check("one", OK, "")) == 1
    shown = capfd.readouterr()
    assert "domain.yml:7" in shown.out
    assert "checks: 2 passed, 1 failed" in shown.out


@pytest.mark.parametrize("trains", [True, False])
def test_what_fails_beside_the_training_fails_it_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], trains: bool
) -> None:
    code = (Check("types", fails("app.py:7"), "fix it", quiet=True), Check("tidy", OK, "fix"))
    one, last = Check("stories", fails("red"), "fix"), Check("last", OK, "fix")
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), one, last, code=code, trains=trains) == 1
    shown = capfd.readouterr()
    assert "app.py:7" in shown.out
    assert "types. Remedy: fix it." in shown.err
    assert ("stories. Remedy" in shown.err) is trains
    assert f"checks: {4 if trains else 2} passed, 2 failed" in shown.out


@pytest.mark.parametrize("files", [OK, fails("domain.yml:7")])
def test_without_a_trained_model_the_end_is_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], files: list[str]
) -> None:
    assert run(monkeypatch, tmp_path, Check("files", files, "fix"), Check("one", OK, ""), trains=False) == 1
    assert "Training failed." in capfd.readouterr().err


def test_a_failure_is_shown_as_its_explanation_instead_of_its_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    story = Check("stories", fails("pages of warnings"), "", explain=fails("expected | happened"), quiet=True)
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), story) == 1
    shown = capfd.readouterr().out
    assert "expected | happened" in shown
    assert "pages of warnings" not in shown


@pytest.mark.parametrize("explain", [OK, fails("cannot load", status=2), ()])
def test_a_failure_that_cannot_be_explained_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], explain: list[str]
) -> None:
    check = Check("stories", fails("the traceback"), "", explain=explain, quiet=True)
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), check) == 1
    assert "the traceback" in capfd.readouterr().out


def test_what_all_tests_import_is_compiled_once_in_a_new_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiled = tmp_path / "compiled"
    made = [sys.executable, "-c", f"import os; os.mkdir({str(compiled)!r})"]
    after = [sys.executable, "-c", f"import os; os.stat({str(compiled)!r})"]
    monkeypatch.setattr(testing, "COMPILING", made)
    for new in (True, False):  # a second time it would fail
        monkeypatch.setattr(testing, "is_new_environment", lambda new=new: new)
        assert run(monkeypatch, tmp_path, Check("files", OK, ""), Check("tests", after, "fix")) == 0


def test_checks_give_way_to_the_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = os.nice(0)
    says = [sys.executable, "-c", f"import os, time; time.sleep(0.2); assert os.nice(0) == {min(19, ours + 7)}"]
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), Check("tests", says, "fix", nicer_by=7)) == 0


def test_where_ctrl_c_found_a_check_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupted = [sys.executable, "-c", "import os, signal; signal.signal(2, signal.SIG_DFL); print('at line 7', "
                                         "flush=True); os.kill(os.getpid(), 2)"]  # fmt: skip
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), Check("types", interrupted, "fix", quiet=True)) == 1
    shown = capfd.readouterr()
    assert "at line 7" not in shown.out
    assert "exit status" not in shown.err


FOREVER = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '97.3'], start_new_session=True)"]


def sleepers() -> list[int]:
    return [one.pid for one in children.below(os.getpid(), "97.3")]


def test_what_was_ended_has_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "ENDS_BY_ITSELF_S", 0.1)
    running: list[Any] = []
    monkeypatch.setattr(testing, "_running", running)
    with ThreadPoolExecutor(1) as beside:
        passed = beside.submit(testing._passes, Check("hangs", FOREVER, "fix"))
        while not (running and sleepers()):
            time.sleep(0.02)
        testing._end(running[0])
        assert not passed.result()
    assert sleepers() == []


@pytest.mark.slow
def test_a_check_that_never_ends_is_ended_with_what_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(testing, "ENDS_BY_ITSELF_S", 0.1)
    monkeypatch.setattr(testing, "CLEANS_UP_WITHIN_S", 0.5)
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), Check("hangs", FOREVER, "fix", timeout_s=1)) == 1
    shown = capfd.readouterr()
    assert "did not end within 1 s" in shown.err
    assert "hangs (exit status 124" in shown.err
    assert sleepers() == []


@pytest.mark.slow
def test_when_the_training_fails_the_tests_that_began_are_ended_and_not_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(testing, "CLEANS_UP_WITHIN_S", 0.5)
    hangs = Check("tests", FOREVER, "fix")

    def train() -> Path:
        deadline = time.monotonic() + 30
        while not sleepers():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        raise LaunchError("Training failed.")

    assert run(monkeypatch, tmp_path, Check("files", OK, ""), hangs, trains=train) == 1
    shown = capfd.readouterr()
    assert "checks: 1 passed, 1 failed" in shown.out
    assert "tests. Remedy" not in shown.err
    assert sleepers() == []


@pytest.mark.slow
def test_told_to_end_it_ends_what_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(testing, "ENDS_BY_ITSELF_S", 0.1)
    monkeypatch.setattr(testing, "CLEANS_UP_WITHIN_S", 0.5)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    hangs = Check("hangs", FOREVER, "fix")
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, tmp_path, Check("files", OK, ""), hangs, code=(hangs, hangs))
    assert sleepers() == []


@pytest.mark.slow
def test_what_failed_in_a_group_is_run_again_too(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_one.py").write_text("def test_alone(): assert 0\n", encoding="utf-8")
    (tmp_path / "test_two.py").write_text(
        "import pytest\n@pytest.mark.xdist_group('g')\n@pytest.mark.parametrize('n', ['a@b'])\n"
        "def test_grouped(n): assert 0\n",
        encoding="utf-8",
    )
    command = children.python("-m", "pytest", "-q", "-n", "1", "--rootdir", str(tmp_path))
    first = children.ended([*command, "--dist", "loadgroup"], within_s=60, cwd=tmp_path)
    assert "2 failed" in first.stdout
    testing.failures_by_their_names(tmp_path / ".pytest_cache/v/cache/lastfailed")
    again = children.ended([*command, "--last-failed"], within_s=60, cwd=tmp_path)
    assert "2 failed" in again.stdout
