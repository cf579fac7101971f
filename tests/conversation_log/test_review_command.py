"""`python -m workbench review` as a process: a scripted designer, a real log, a customer who is forgotten."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.children import child
from tests.contracts.source_tree import ROOMS

ROOT = Path(__file__).resolve().parents[2]
Turn = Callable[..., dict[str, Any]]
PHONE = "919812345670"
CLARIFY = (("Could you say that differently?", "utter_clarification_first"),)
SAID = "zorblat cashback of order 45678 not credited, call +91 98123 45670"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the product, so that labels go nowhere else. It has no trained model."""
    root = tmp_path / "project"
    for folder in (*ROOMS, "data"):
        shutil.copytree(ROOT / folder, root / folder)
    for file in (*ROOT.glob("*.py"), *(ROOT / name for name in ("domain.yml", "config.yml", "shop.yml"))):
        shutil.copy(file, root / file.name)
    return root


def started_over(log: Any, turn: Turn, project: Path, tmp_path: Path) -> dict[str, Any]:
    """How to start the command over a log with one customer's two messages."""
    log.log(
        turn("wamid.review1", SAID, CLARIFY, intent="nlu_fallback", customer=PHONE),
        turn("wamid.review2", "my zorblat cashback not credited", CLARIFY, intent="nlu_fallback", customer=PHONE),
    )
    environment = {
        **os.environ, "PYTHONPATH": "", "STATE_DIR": str(tmp_path / "state"), "COLUMNS": "300",
        "CONVERSATION_DATABASE_URL": log.sql_url, "REDIS_URL": log.redis_url,
    }  # fmt: skip
    return {"args": [sys.executable, "-m"], "env": environment, "cwd": project, "text": True}


def run(command: dict[str, Any], *arguments: str, typed: str = "") -> str:
    done = subprocess.run(
        [*command["args"], *arguments], input=typed, capture_output=True, timeout=90,
        **{name: value for name, value in command.items() if name != "args"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_designer_labels_in_the_terminal_and_the_customer_can_be_forgotten(
    sqlite_log: Any, turn: Turn, project: Path, tmp_path: Path
) -> None:
    command = started_over(sqlite_log, turn, project, tmp_path)
    shown = run(command, "workbench", "review", typed="out_of_scope *\n")
    assert "Messages to review: 2, in groups: 1, shown: 1." in shown
    assert "98123" not in shown
    changed = (project / "data/nlu/out_of_scope.yml").read_text()
    assert "    - zorblat cashback of order 10234 not credited, call\n" in changed
    assert "    - my zorblat cashback not credited\n" in changed
    assert run(command, "workbench", "review", "--since", "2026-01-01") == "Nothing new to review.\n"
    receipt = run(command, "conversation_log", "erase", "--customer", f"+{PHONE}")
    assert re.search(r"sql +messages +4", receipt)
    left = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert (tmp_path / "state" / "reviewed.json").exists()
    assert not any(word in left.lower() for word in (b"zorblat", PHONE.encode(), b"wamid", b"45678"))


@pytest.mark.slow
def test_the_groups_can_be_listed_without_being_asked(
    sqlite_log: Any, turn: Turn, project: Path, tmp_path: Path
) -> None:
    command = started_over(sqlite_log, turn, project, tmp_path)
    shown = run(command, "workbench", "review", "--list", "--limit", "1")
    assert "my zorblat cashback not credited" in shown
    assert "label>" not in shown
    assert not (tmp_path / "state" / "reviewed.json").exists()


@pytest.mark.slow
def test_the_browser_page_is_served_until_ctrl_c(sqlite_log: Any, turn: Turn, project: Path, tmp_path: Path) -> None:
    command = started_over(sqlite_log, turn, project, tmp_path)
    arguments = [*command["args"], "workbench", "review", "--browser"]
    where = {"cwd": project, "text": True, "stdout": subprocess.PIPE}
    # As in `make test &` of a script: what is started inherits that SIGINT is ignored.
    arguments = ["bash", "-c", "trap '' INT; exec \"$@\"", "bash", *arguments]
    with child(arguments, command["env"], **where) as process:
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/", line)))
        page = httpx.get(address)
        token = address.rstrip("/").rsplit("/", 1)[1]
        wish = {"cluster": 0, "phrases": ["zorblat refund points"], "intent": "out_of_scope"}
        answer = httpx.post(address, json=wish, headers={"X-Review-Token": token})
        process.send_signal(signal.SIGINT)
        rest_of_output, _ = process.communicate(timeout=30)
    assert "zorblat" in page.text
    assert "98123" not in page.text
    assert answer.json()[0]["kind"] == "added"
    assert process.returncode == 0
    assert "1 phrase added: `git diff" in rest_of_output
    assert "    - zorblat refund points\n" in (project / "data/nlu/out_of_scope.yml").read_text()
