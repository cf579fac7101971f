"""A review over a few messages and a small project, and Chromium for its page."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from conversation_log.report.review_queue import Case, clusters
from workbench.review.command import Review
from workbench.review.labels import Labels
from workbench.review.reviewed import Reviewed

WRITTEN = datetime(2026, 11, 20, tzinfo=timezone.utc)
SAID = {
    "parcel kidhar reh gaya bhai": ("nlu_fallback", 0.7, ("rejected",), 3),
    "Bhai parcel kidhar reh gaya 45678 call [phone]": ("check_order_status", 0.5, ("uncertain",), 1),
    "<b>gift wrap</b> available?": ("out_of_scope", 0.9, ("rejected",), 2),
}
GENERAL = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - hi
- intent: check_order_status   # where is it
  examples: |
    - where is my order
- intent: out_of_scope
  examples: |
    - tell me a joke
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with three intents in one file."""
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "general.yml").write_text(GENERAL)
    (tmp_path / "domain.yml").write_text("intents:\n- greet\n- check_order_status\n- out_of_scope\n- nlu_fallback\n")
    return tmp_path


@pytest.fixture
def general(project: Path) -> Path:
    return project / "data" / "nlu" / "general.yml"


@pytest.fixture
def review(project: Path) -> Review:
    """Two clusters: four messages about a parcel in two wordings, two about gift wrap."""
    cases = [
        Case(text, WRITTEN, intent, confidence, reasons)
        for text, (intent, confidence, reasons, times) in SAID.items()
        for _ in range(times)
    ]
    reviewed = Reviewed(project / "reviewed.json")
    return Review(clusters(cases, reviewed.is_new), Labels(project), reviewed)
