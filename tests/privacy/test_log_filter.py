"""No log line, whoever writes it, shows a phone number or a secret."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.log_filter import PrivacyFilter, install, scrub
from privacy.pseudonyms import mask_phone, pseudonym
from tests.children import ROOT, python


@pytest.fixture
def lines():
    out = io.StringIO()
    logger = logging.Logger("test")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    install(["s3cret-value"], logger)
    return logger, out


def test_arguments_and_tracebacks_are_scrubbed(lines):
    logger, out = lines
    try:
        raise ValueError("bad number +919876543210")
    except ValueError:
        logger.exception("sending to %s failed with %s", "919876543210", "s3cret-value")
    text = out.getvalue()
    assert "9876543210" not in text
    assert "s3cret-value" not in text
    assert "+91••••••3210" in text
    assert "ValueError" in text


def test_broken_format_string_loses_no_line_and_shows_no_argument(lines):
    logger, out = lines
    logger.info("%d messages for %s", "many")
    assert "messages for" in out.getvalue()
    assert "many" not in out.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefghijklmnop", "abcdefgh"),
        ("GET https://graph/?access_token=EAAGm0PX4ZCps", "EAAG"),
        ("postgresql://shop:hunter22@db/x", "hunter22"),
        ("redis://:topsecret@h:6379/0", "topsecret"),
        ("https://hooks.slack.com/services/T0/B0/XXXX", "T0/B0"),
        ("key " + "-".join(["sk", "ant", "api03", "abcdefghijk"]), "abcdefghijk"),
        ('{"password": "opensesame"}', "opensesame"),
    ],
)
def test_secrets_are_recognised_by_their_shape(text, shown):
    assert shown not in scrub(text)
    assert "[secret]" in scrub(text)


@pytest.mark.parametrize(
    "text",
    ["order=10234 turn_ms=14", "stream 1793534400000-0 read", "at=1793534400123", "2026-11-01 12:00:00,123 INFO",
     "port 5005", "wa:in:7 depth=12", "http://127.0.0.1:5005/webhooks"],
)  # fmt: skip
def test_ordinary_lines_stay(text):
    assert scrub(text) == text


@given(st.integers(10, 14).flatmap(lambda digits: st.integers(10 ** (digits - 1), 10**digits - 1)).map(str))
def test_masked_numbers_show_four_digits_at_most(number):
    masked = mask_phone("+" + number)
    assert masked.startswith("+")
    assert len(re.sub(r"\D", "", masked)) <= 3 + 4
    assert number not in masked


def test_mask_keeps_country_and_last_four():
    assert mask_phone("+919876543210") == "+91••••••3210"
    assert mask_phone("919876543210") == "+91••••••3210"
    assert mask_phone("+14155552671") == "+1••••••2671"
    assert mask_phone(None) == "unknown"
    assert mask_phone("IN.13491208655302741918") == "••••••1918"


def test_pseudonyms_are_stable_and_need_the_key():
    assert pseudonym("919876543210", "k") == pseudonym("919876543210", b"k")
    assert pseudonym("919876543210", "k") != pseudonym("919876543210", "other")
    assert "9876" not in pseudonym("919876543210")


def test_filter_lets_every_record_through():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "hello", None, None)
    assert PrivacyFilter().filter(record) is True


def test_a_line_that_cannot_be_scrubbed_is_withheld_and_fails_nobody(monkeypatch, capsys):
    def broken(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr("privacy.log_filter.scrub", broken)
    logger = logging.getLogger("withheld")
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    install((), logger)
    try:
        raise ValueError("+919876543210")
    except ValueError:
        logger.exception("call +919876543210")
    shown = capsys.readouterr().out
    assert "withheld" in shown
    assert "98765" not in shown


def test_handlers_of_librarys_loggers_are_filtered_too(capsys):
    library = logging.getLogger("some.library")
    library.addHandler(logging.StreamHandler(sys.stdout))
    library.propagate = False
    install(["s3cret-value"])
    library.error("s3cret-value of +919876543210")
    library.handlers.clear()
    assert capsys.readouterr().out == "[secret] of +91••••••3210\n"


def test_without_a_handler_to_filter_nothing_starts():
    with pytest.raises(RuntimeError, match="no log handler"):
        install((), logging.getLogger("nobody.listens"))


@pytest.mark.slow
@pytest.mark.parametrize("command", ["connectors.server", "worker", "launch.action_server", "conversation_log"])
def test_no_process_starts_without_the_filter(command, tmp_path):
    """An installation that lost the module must not serve with open logs."""
    start = "import runpy, sys; sys.modules['privacy.log_filter'] = None; "
    start += f"runpy.run_module({command!r}, None, '__main__')"
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1"}
    ended = subprocess.run(python("-c", start), capture_output=True, text=True, env=environment, timeout=60, cwd=ROOT)
    assert ended.returncode != 0
    assert "log_filter" in ended.stderr
