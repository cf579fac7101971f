"""`make test`: every check, each with its time; all run even when one fails."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from launch import training
from launch.console import LaunchError, done, fail, say
from settings import PROJECT_ROOT

RESULTS = PROJECT_ROOT / "var" / "test-results"
ENDS_BY_ITSELF_S = 12.0  # pytest gives its workers ten, and a second signal cuts that short with a traceback
CLEANS_UP_WITHIN_S = 20.0
_NOTED = PROJECT_ROOT / "var" / "pytest-cache" / "v" / "cache" / "lastfailed"
_GROUP = re.compile(r"@[^@\[\]]+$")
_running: list[subprocess.Popen[str]] = []
# On two cores: tests wait for servers about as long as they compute. Each has half a gigabyte, and a product or a
# training beside it that needs one to two.
WORKERS = "4" if psutil.virtual_memory().total > 12e9 else "3"


@dataclass(frozen=True, eq=False)
class Check:
    """One step: what it proves, its command, and what to do when it fails."""

    title: str
    command: Sequence[str]
    remedy: str
    again: Sequence[str] = ()
    """Run when the command failed; its status then counts."""
    explain: Sequence[str] = ()
    """Run when the command failed, for people: it shows what the command's own output does not."""
    quiet: bool = False
    """Kept off the screen unless it fails: Rasa prints pages of warnings and matrices."""
    timeout_s: float = 900.0
    """It is ended, with all its processes, after so long."""
    nicer_by: int = 10
    """By how much it gives way to others (`nice`): the training to none, since most tests wait for it."""


def _module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _rasa(*arguments: str) -> list[str]:
    return _module("launch.rasa_cli", *arguments)


DESIGNERS = Check(
    "workbench validate: what designers write fits together and fits WhatsApp",
    _module("workbench", "validate", "--files"),
    "the lines above name file, line and what to do",
)
CODE = (
    Check("ruff: the code is tidy", _module("ruff", "check", "."), "`ruff check --fix` fixes most of it", quiet=True),
    Check("mypy: the types hold", _module("mypy"), "correct the line it names", quiet=True),
    Check(
        "rasa data validate: intents, rules, stories and responses fit together",
        _rasa("data", "validate", "--fail-on-warnings", "--data", "data"),
        "the lines above name the intent, rule or response; correct data/ or domain.yml",
        quiet=True,
    ),
)
TRAINING = Check("the model can be trained", (), "correct what the lines above name")


def everything_else(folder: str) -> Check:
    """The tests; those that need the model wait for it. `folder` is for temporary files: parallel runs share none."""
    return Check(
        "pytest: everything else",
        _module("pytest", "-m", "not marathon", "-n", WORKERS, "--dist", "loadgroup", "--no-loadscope-reorder",
                "--durations=10", f"--basetemp={folder}/pytest"),
        "run the failing test alone with `.venv/bin/python -m pytest path::name`",
        # Several at a time make clocks and browsers late; what also fails alone is broken.
        again=_module("pytest", "-m", "not marathon", "-n", "1", "--last-failed", "--last-failed-no-failures", "none",
                      f"--basetemp={folder}/again"),
        timeout_s=2700.0,
        nicer_by=5,
    )  # fmt: skip


# In a new environment nothing is compiled, and each of six processes that start at once would compile the same.
COMPILING = _module("pytest", "--collect-only", "-q", "-n", "0")


def rasas_own(model: str) -> list[Check]:
    """What Rasa tests with the model."""
    return [
        Check(
            "rasa test: the dialogue stories",
            _rasa("test", "core", "--stories", "tests/stories", "--model", model, "--out", str(RESULTS / "stories"),
                  "--fail-on-prediction-errors"),
            "the tables above show what each failing story expects beside what happened, and what to change",
            explain=_module("workbench", "stories", "--model", model),
            quiet=True,
        ),
        Check(
            "rasa test: the held-out phrases",
            _rasa("test", "nlu", "--nlu", "tests/nlu/held_out", "--model", model, "--no-plot",
                  "--out", str(RESULTS / "nlu")),
            "var/test-results/nlu/intent_errors.json lists the phrases; tests/nlu holds the thresholds",
            quiet=True,
        ),
    ]


def run_everything() -> int:
    """Train when needed, run every check, say what failed. Returns 0 only if all pass.

    What reads the code, pytest and the training run beside each other; with the model, Rasa's own tests too.
    """
    # Told to end, it ends what it started, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    os.environ["OMP_NUM_THREADS"] = "1"  # also of the training: threads that wait for one another keep the cores busy
    RESULTS.mkdir(parents=True, exist_ok=True)
    passed = {DESIGNERS: _passes(DESIGNERS)}
    with (
        ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(1) as longest,
        tempfile.TemporaryDirectory(prefix="assistant-tests-", ignore_cleanup_errors=True) as folder,
    ):
        os.chmod(folder, 0o711)  # noqa: S103 (servers that refuse to be root's run as nobody)
        os.environ["TEST_SERVERS_IN"] = folder  # what a server that was killed leaves goes with the folder
        try:
            running = {check: beside.submit(_passes, check) for check in CODE}
            if is_new_environment():
                say("Compiling what the tests import ...")
                _run(COMPILING, quiet=True, timeout_s=300)  # what is wrong, the tests tell
            tests = everything_else(folder)
            # A mistake in the files mostly ends the training: then no test begins.
            tested = longest.submit(_passes, tests) if passed[DESIGNERS] else None
            if model := _trained():
                running |= {check: beside.submit(_passes, check) for check in rasas_own(str(model))}
                running[tests] = tested or longest.submit(_passes, tests)
            elif tested:
                tested.cancel()
                for process in [one for one in _running if one.args == tests.command]:
                    _end(process, at_once=True)
            passed |= {TRAINING: model is not None} | {check: found.result() for check, found in running.items()}
        except KeyboardInterrupt:
            for pool in (beside, longest):
                pool.shutdown(wait=False, cancel_futures=True)
            for process in _running:
                _end(process)
            raise
    return _summary([check for check, fine in passed.items() if not fine], len(passed), started)


def is_new_environment() -> bool:
    """Whether no test has run in it yet."""
    packages = Path(sysconfig.get_paths()["purelib"])
    return not sys.dont_write_bytecode and not (packages / "_pytest" / "__pycache__").exists()


def _trained() -> Path | None:
    try:
        return training.train()
    except LaunchError as error:
        # The mistakes above are why; nothing that needs the model can be tested before they are corrected.
        fail(str(error))
        return None


def _summary(failed: Sequence[Check], total: int, started: float) -> int:
    for check in failed:
        fail(f"{check.title}. Remedy: {check.remedy}.")
    say(f"All checks took {time.monotonic() - started:.0f} s.")
    print(f"checks: {total - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _run(command: Sequence[str], quiet: bool, timeout_s: float, nicer_by: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or to its time limit (exit status 124); nothing that it started outlives it."""
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None,
    )
    _running.append(process)
    with suppress(OSError):  # it may be at its end
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + nicer_by)
    try:
        said, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        fail(f"It did not end within {timeout_s:.0f} s and was stopped.")
        return subprocess.CompletedProcess(command, 124, "")
    return subprocess.CompletedProcess(command, process.returncode, said)


def _end(process: subprocess.Popen[str], at_once: bool = False) -> None:
    """End a command and all its descendants: some have sessions of their own, which no Ctrl-C reaches."""
    if process.poll() is not None:
        return
    try:
        descendants = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    try:
        # Ctrl-C in a terminal has reached it too; a second signal would cut its cleaning up short.
        process.wait(0 if at_once else ENDS_BY_ITSELF_S)
    except subprocess.TimeoutExpired:
        process.terminate()
    # Not by psutil, which would take its exit status: whoever waits for it would then read that it passed.
    with suppress(subprocess.TimeoutExpired):
        process.wait(CLEANS_UP_WITHIN_S)
    process.kill()
    _, late = psutil.wait_procs(descendants, 1)
    for left in late:
        left.kill()
    process.wait()


def failures_by_their_names(noted: Path = _NOTED) -> None:
    """Take from the noted failures the group that xdist put behind a name: pytest would not find those again, and what
    failed in a group would be forgiven."""
    if noted.exists():
        names = json.loads(noted.read_text(encoding="utf-8"))
        noted.write_text(json.dumps({_GROUP.sub("", name): True for name in names}), encoding="utf-8")


def _passes(check: Check) -> bool:
    say(f"{check.title} ...")
    started = time.monotonic()
    result = _run(check.command, check.quiet, check.timeout_s, check.nicer_by)
    if result.returncode == 1 and check.again:
        say("What failed is run once more, alone ...")
        failures_by_their_names()
        result = _run(check.again, check.quiet, check.timeout_s)
    took = f"{time.monotonic() - started:.0f} s"
    if result.returncode == 0:
        done(f"{check.title} ({took})")
        return True
    if result.returncode == -signal.SIGINT:
        return False  # Ctrl-C in a terminal reaches it too; where it was tells nobody anything
    lines = [line for line in (result.stdout or "").splitlines() if "UserWarning: The utterance" not in line]
    if not check.explain or _run(check.explain, quiet=False, timeout_s=check.timeout_s).returncode != 1:
        print("\n".join(lines[-60:]))
    fail(f"{check.title} (exit status {result.returncode}, {took})")
    return False
