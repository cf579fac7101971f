"""Log lines are text or JSON, private, and say which message they are about."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from privacy import log_filter, log_lines
from tests.children import ROOT

WAMID = "wamid.HBgMcorrelation"


@pytest.fixture(params=log_lines.FORMATS)
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, in each format."""
    out, logger = io.StringIO(), logging.getLogger("some.library")
    handler = logging.StreamHandler(out)
    handler.setFormatter(log_lines.formatter(request.param))
    handler.addFilter(log_filter.PrivacyFilter(["s3cret-value"]))
    logger.addHandler(handler)
    yield out
    logger.removeHandler(handler)


def test_every_line_inside_carries_the_id_and_none_outside(written: io.StringIO) -> None:
    with log_lines.about(WAMID):
        logging.getLogger("some.library").warning("outbox.reply.accepted author=%s", "assistant")
    logging.getLogger("some.library").warning("later")
    inside, outside = written.getvalue().splitlines()
    assert WAMID in inside
    assert "wamid" not in outside


def test_lines_are_private_in_both_formats(written: io.StringIO) -> None:
    try:
        raise ValueError("+919876543210 and s3cret-value")
    except ValueError:
        logging.getLogger("some.library").exception("sending to %s failed", "919876543210")
    shown = written.getvalue()
    assert "9876543210" not in shown
    assert "s3cret-value" not in shown
    assert "ValueError" in shown


@pytest.mark.parametrize("form", log_lines.FORMATS)
def test_a_process_logs_in_the_format_that_is_set_behind_the_filter(form: str) -> None:
    code = (
        "import logging; from privacy import log_lines\n"
        f"log_lines.configure('INFO', {form!r}, ['s3cret-value'])\n"
        "with log_lines.about('wamid.1'): logging.getLogger('x').info('a.b key=s3cret-value')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert "s3cret" not in done.stderr
    assert (json.loads(done.stderr)["wamid"] == "wamid.1") if form == "json" else ("wamid=wamid.1" in done.stderr)


def test_json_holds_one_object_a_line_with_the_event_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    line = log_lines.JsonLines()
    record = logging.LogRecord("bus", logging.ERROR, "f", 1, "outbox.reply.failed error=%s", ("two\nlines",), None)
    with log_lines.about(WAMID):
        shown = line.format(record)
    assert "\n" not in shown
    found = json.loads(shown)
    assert {name: found[name] for name in ("level", "logger", "event", "wamid")} == {
        "level": "ERROR", "logger": "bus", "event": "outbox.reply.failed", "wamid": WAMID,
    }  # fmt: skip
    assert found["time"].endswith("Z")


def test_a_librarys_line_has_no_event() -> None:
    record = logging.LogRecord("urllib3", logging.WARNING, "f", 1, "Connection pool is full.", None, None)
    assert "event" not in json.loads(log_lines.JsonLines().format(record))


async def test_messages_that_are_worked_on_side_by_side_keep_their_ids_apart() -> None:
    async def work(wamid: str) -> str | None:
        with log_lines.about(wamid):
            await asyncio.sleep(0.01)
            return log_lines.current()

    assert await asyncio.gather(work("a"), work("b")) == ["a", "b"]
    assert log_lines.current() is None
