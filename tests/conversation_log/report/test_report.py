"""The report counts what the log holds, in the terminal and on one self-contained page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import settings
from conversation_log.archive import archiver, parquet_archive
from conversation_log.query import tiers
from conversation_log.report import command, html_page, message_groups, tables, terminal
from conversation_log.report.figures import Figures
from conversation_log.report.quantiles import Durations
from conversation_log.storage import database
from tests.conversation_log.crowd import plant

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
PERIOD = tiers.Period(NOW - timedelta(days=30), NOW)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    folder = tmp_path_factory.mktemp("figures")
    engine = database.connect(f"sqlite:///{folder}/log.db")
    database.migrate(engine)
    plant(engine, 400, NOW - timedelta(days=28), 27)
    archive = parquet_archive.ParquetArchive.at(f"file://{folder}/archive")
    archiver.run(engine, archive, archiver.Retention(warm_days=10), NOW)
    found = settings.load({"STATE_DIR": str(folder), "ARCHIVE_URL": f"file://{folder}/archive"}, folder / "none")
    gathered = command.gather(found, engine, PERIOD)
    engine.dispose()
    return gathered


def test_warm_and_archived_conversations_are_counted_together(figures: Figures) -> None:
    assert figures.conversations == 400
    assert sum(figures.outcomes.values()) == 400
    assert sum(day["conversations"] for day in figures.by_day.values()) == 400
    assert sum(figures.escalations.values()) == figures.outcomes["escalated"]
    assert sum(figures.confidence) == figures.messages["user"]
    assert figures.answers.count == figures.messages["user"]
    assert 0.5 < (figures.containment or 0) < 0.95


def test_llm_use_is_counted_with_its_price(figures: Figures) -> None:
    use = figures.llm["claude-haiku-5-5"]
    assert use.calls == sum(use.verdicts.values()) > 0
    assert use.cost_usd == pytest.approx((use.tokens_in * 0.10 + use.tokens_out * 0.50) / 1e6)


def test_how_it_was_with_a_person_is_counted_once_a_ticket_in_the_conversation_that_was_escalated(
    sqlite_log, turn, noon
) -> None:
    called = (("A person comes.", "utter_handoff_connecting"),)
    asks, thanks = (("How was it?", "utter_handoff_ended_how_was_it"),), (("Thank you", "utter_handoff_rated"),)
    for number, intent in enumerate(("rate_good", "rate_poor", "")):
        who, at = f"35191234567{number}", noon + number * 3600
        escalation = {"slots": {"escalation_reason": "complaint"}, "replies": called}
        sqlite_log.put(turn(f"wamid.{who}.a", customer=who, at=at, **escalation))
        returned = turn(f"returned:{who}:2", customer=who, at=at + 60, replies=asks)
        sqlite_log.put({**returned, "metadata": {**returned["metadata"], "kind": "conversation_returned"}})
        for tap in range(2 if intent else 0):
            said = thanks if tap == 0 else (("Noted already", "utter_handoff_rated_before"),)
            tapped = {"text": "🙂 Good", "intent": intent, "replies": said, "at": at + 120 + tap}
            sqlite_log.put(turn(f"wamid.{who}.{tap}", customer=who, **tapped))
    sqlite_log.write()
    figures = Figures()
    for record in sqlite_log.read():
        figures.take(record)
    assert (figures.ratings.asked, dict(figures.ratings.scores), figures.ratings.mean) == (3, {3: 1, 1: 1}, 2.0)
    assert figures.conversations == 3, "an answer begins no conversation"
    page, out = html_page.page(figures, PERIOD, NOW), StringIO()
    terminal.show(figures, PERIOD, NOW, Console(file=out, width=120))
    for shown in (page, out.getvalue()):
        assert "66.7 %" in shown
        assert "2.00" in shown
        assert "not good" in shown


def test_days_add_up_and_show_containment_and_cost(figures: Figures) -> None:
    assert sum(figures.cost_by_day.values()) == pytest.approx(figures.cost_usd)
    table = tables.days(figures)
    assert table.heads[-2:] == ("containment", "LLM cost")
    assert sum(int(line[table.heads.index("began")]) for line in table.lines) == 400
    assert table.lines[0][-1] in html_page.page(figures, PERIOD, NOW)


def test_llm_that_settled_a_meaning_is_counted_too_and_answers_without_one_cost_nothing() -> None:
    figures = Figures()
    record = one_conversation("meko parcel ka bolo")
    record["messages"][0]["llm"] = {"model": "claude-haiku-5-5", "verdict": "settled", "input_tokens": 500_000}
    record["messages"][1]["llm"] = {"provider": "extractive", "model": None, "verdict": "extractive", "input_tokens": 0}
    figures.take(record)
    assert {name: use.cost_usd for name, use in figures.llm.items()} == {
        "claude-haiku-5-5": 0.05,
        "without a model": 0.0,
    }


def test_page_stands_alone_and_names_nobody(figures: Figures) -> None:
    page = html_page.page(figures, PERIOD, NOW)
    assert not re.search(r"<script|<link|<img|https?://|url\(", page)
    assert page.count("<svg") >= 4
    assert "check_order_status" in page
    assert not re.search(r"\b91[6-9]\d{9}\b", page)


def test_customers_words_cannot_write_into_the_page() -> None:
    figures = Figures()
    hostile = "<script>alert(1)</script>"
    figures.take(one_conversation(hostile, intent=hostile))
    page = html_page.page(figures, PERIOD, NOW)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def one_conversation(words: str, intent: str = "greet") -> dict:
    at = "2026-11-19T10:00:00.000000Z"
    reply = {"turn": 1, "role": "assistant", "content": "Sorry?", "timestamp": at, "feature_used": "clarification",
             "escalated": False, "delivery_status": None}  # fmt: skip
    asked = {"turn": 1, "role": "user", "content": words, "timestamp": at, "intent_detected": intent, "confidence": 0.2}
    return {"timestamp_start": at, "timestamp_end": at, "resolution_status": "abandoned", "escalation_reason": None,
            "messages": [asked, reply]}  # fmt: skip


def test_answers_that_take_more_than_one_message_are_counted_since_each_is_billed() -> None:
    figures, two = Figures(), one_conversation("where is it, and can i return it?")
    two["messages"].append(dict(two["messages"][-1]))
    for record in (two, one_conversation("hello")):
        figures.take(record)
    assert ("answers in more than one message", "1", "50.0 %") in tables.overview(figures).lines


def test_unresolved_messages_are_shown_without_personal_data() -> None:
    figures = Figures()
    figures.take(one_conversation("call me on 98765 43210"))
    assert figures.unresolved == ["call me on [phone]"]


def test_terminal_report_survives_an_empty_period_and_markup() -> None:
    out = StringIO()
    terminal.show(Figures(), PERIOD, NOW, Console(file=out))
    assert "No conversation began" in out.getvalue()
    figures = Figures()
    figures.take(one_conversation("[bold]hello[/red]"))
    terminal.show(figures, PERIOD, NOW, Console(file=out, width=160))
    assert "[bold]hello[/red]" in out.getvalue()


@given(st.lists(st.floats(0.001, 50_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99]))
def test_quantile_is_within_five_percent(seconds: list[float], share: float) -> None:
    durations = Durations()
    for value in seconds:
        durations.add(value)
    exact = sorted(seconds)[max(0, -(-int(share * 1000) * len(seconds) // 1000) - 1)]
    assert durations.quantile(share) == pytest.approx(exact, rel=0.06)


def test_messages_are_grouped_by_what_they_are_about() -> None:
    groups = message_groups.group(
        ["coupon SAVE20 is not applied", "the coupon code is not applied at checkout", "coupon SAVE50 is not applied",
         "cannot log in to my account", "i can not login account", "log in does not work for my account"]
    )  # fmt: skip
    assert groups[0].example.startswith("coupon")
    assert groups[0].count == 3
    assert sum(found.count for found in groups) == 6
    assert len(groups) <= 3


@given(st.lists(st.text(max_size=40), max_size=40))
def test_every_message_is_in_exactly_one_group(texts: list[str]) -> None:
    assert sum(found.count for found in message_groups.group(texts)) == len(texts)
