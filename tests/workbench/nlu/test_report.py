"""The held-out report: what it counts, and that its page holds the customer's words harmlessly."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from components.text.classifier import Prediction
from workbench.nlu.held_out_report import Report, measure
from workbench.nlu.phrases import Phrase
from workbench.nlu.report_page import page, print_report


class ScriptedNlu:
    """Answers from a table; below 0.4 the label is the rejection."""

    def __init__(self, answers: dict[str, tuple[str, float]]) -> None:
        self._answers = answers

    def read(self, text: str) -> Prediction:
        return Prediction((self._answers[text],), embedded=False)

    def settle(self, prediction: Prediction) -> str:
        return prediction.label if prediction.confidence >= 0.4 else "nlu_fallback"


@pytest.fixture
def report() -> Report:
    wanted = [
        ("where is it", "check_order_status", ("check_order_status", 0.9)),
        ("<b>cancel</b>", "cancel_order", ("deny", 0.8)),
        ("weather", "out_of_scope", ("greet", 0.3)),
        ("when exactly", "ask_delivery_date", ("check_order_status", 0.7)),
    ]
    phrases = [Phrase(text, intent, Path("/x/retail.yml"), line) for line, (text, intent, _) in enumerate(wanted)]
    return measure(phrases, ScriptedNlu({text: answer for text, _, answer in wanted}))  # type: ignore[arg-type]


def test_rejected_out_of_scope_and_follow_ups_count_as_right(report: Report) -> None:
    assert (report.overall.right, report.overall.total) == (3, 4)
    assert [(c.wanted, c.given) for c in report.confusions] == [("cancel_order", "deny")]


def test_the_page_escapes_what_customers_wrote(report: Report) -> None:
    assert "<b>cancel</b>" not in page(report)
    assert "&lt;b&gt;cancel&lt;/b&gt;" in page(report)


def test_the_terminal_shows_slices_confusions_and_the_worst_phrases(report: Report) -> None:
    console = Console(record=True, width=160)
    print_report(report, console)
    shown = console.export_text()
    assert "retail" in shown
    assert "75%" in shown
    assert "cancel_order" in shown


def test_of_sealed_phrases_only_totals_are_kept_and_any_acceptable_label_counts(tmp_path: Path) -> None:
    sealed = [
        "# a secret\tgreet",
        "secret one\tcheck_order_status",
        "secret two\tdeny|out_of_scope",
        "",
        "secret three\tgreet",
    ]
    (tmp_path / "tweets.tsv").write_text("\n".join(sealed) + "\n")
    nlu = ScriptedNlu(
        {"secret one": ("ask_delivery_date", 0.9), "secret two": ("greet", 0.2), "secret three": ("deny", 0.9)}
    )
    report = measure([], nlu, tmp_path)  # type: ignore[arg-type]
    assert [(score.name, score.right, score.total) for score in report.sealed] == [("tweets", 2, 3)]
    console = Console(record=True, width=160)
    print_report(report, console)
    for shown in (page(report), console.export_text(), repr(report)):
        assert "secret" not in shown
    assert "2 of 3 (66.7%)" in page(report)


def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    assert "://" not in page(report)
    assert "<script" not in page(report)


def test_each_group_of_confidences_is_shown_with_the_share_that_was_right(report: Report) -> None:
    assert report.calibration
    for part in report.calibration:
        assert f"right {part.share:.2f}, of {part.count}<" in page(report)


def test_confidence_and_rightness_apart_are_counted(report: Report) -> None:
    """0.3 and 0.7 were right, and of 0.8 and 0.9, which share a group, one."""
    assert report.calibration_error == pytest.approx((0.7 + 0.3 + 2 * 0.35) / 4)
