"""`python -m conversation_log replay` as a process, over a real log: what would change, and nothing real is touched."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from launch import demo_orders
from tests.known_pages import bring_pages

ROOT = Path(__file__).resolve().parents[2]
PAGE = "# Return window\n\n## How long\n\nYou have 45 days from delivery to return clothing.\n"
ASHA, FARHAN = "919876543210", "919845098450"


def lines_of(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


@pytest.mark.model
@pytest.mark.timeout(240)
def test_it_shows_what_would_change_and_acts_on_nothing(sqlite_log, turn, noon, tmp_path: Path) -> None:
    quoted = {"policy_pages": ["return_window"]}
    sqlite_log.log(
        # The order has arrived since, and another was cancelled: no change.
        turn("w.1", "where is my order 10234", (("Order #10234 is being packed.", "utter_order_status_packed"),)),
        turn("w.2", "cancel 10304", (("Cancel #10304?", "utter_self_service_confirm"),), intent="cancel_order",
             customer=FARHAN),
        turn("w.3", "yes", (("#10304 is cancelled.", "utter_self_service_done_cancel"),), noon + 9, intent="affirm",
             customer=FARHAN),
        turn("w.4", "how many days do I have to return a shirt?", (("30 days.", "utter_return_policy_answer"),),
             noon + 20, intent="ask_return_policy", bot_metadata=quoted),
        turn("w.5", "<b>hello</b>, mail a@example.in: I want my money back", (("Hi", "utter_greet"),), noon + 30,
             intent="greet"),
    )  # fmt: skip
    orders, pages, html = tmp_path / "orders.db", tmp_path / "pages", tmp_path / "page.html"
    demo_orders.seed(f"sqlite:///{orders}", date.today())
    pages.mkdir()
    bring_pages(tmp_path)
    (pages / "return_window.md").write_text(PAGE)
    log_file = Path(sqlite_log.sql_url.removeprefix("sqlite:///"))
    before = lines_of(log_file), lines_of(orders)
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.setblocking(False)
        address = f"http://127.0.0.1:{outside.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "conversation_log", "replay", "--since", "2026-10-31", "--policies", str(pages),
             "--html", str(html), "--fail-on", "1"],
            cwd=ROOT, capture_output=True, text=True, timeout=200,
            env={
                "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "STATE_DIR": str(tmp_path), "COLUMNS": "200",
                "CONVERSATION_DATABASE_URL": sqlite_log.sql_url, "ORDERS_DATABASE_URL": f"sqlite:///{orders}",
                "REDIS_URL": sqlite_log.redis_url, "SHOP_API_URL": address, "SHOP_API_SECRET": "s3cret-of-the-shop",
                "ZENDESK_URL": address, "ZENDESK_OAUTH_TOKEN": "s3cret", "SLACK_WEBHOOK_URL": address,
            },
        )  # fmt: skip
        with pytest.raises(BlockingIOError):
            outside.accept()
    assert done.returncode == 1, done.stderr
    assert "2 of 5 turns (40.0 %) would change, in 1 of 2 conversations." in done.stdout
    assert "2 turns would change, more than 1" in done.stderr
    assert (lines_of(log_file), lines_of(orders)) == before
    shown = html.read_text()
    assert "&lt;b&gt;hello&lt;/b&gt;" in shown
    assert "45 days" in shown
    assert "30 days." in shown
    assert "<b>hello" not in shown
    for hidden in ("a@example.in", ASHA, "s3cret"):
        assert hidden not in shown + done.stdout + done.stderr


@pytest.mark.slow
def test_a_replay_that_cannot_be_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conversation_log", "replay", "--policies", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--policies" in done.stderr
    assert "Traceback" not in done.stderr
