"""What Rasa is told of the intent classifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.intents import intent_classifier
from components.intents.intent_classifier import IntentClassifier


@pytest.mark.parametrize("name", ["spellings.txt", "ngrams.py"])
def test_a_model_made_with_other_code_or_spellings_is_not_taken_from_the_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intent_classifier, "_COMPONENTS", tmp_path)
    (tmp_path / name).write_text("kab: kb kub")
    before = IntentClassifier.fingerprint_addon({})
    assert IntentClassifier.fingerprint_addon({}) == before
    (tmp_path / name).write_text("kab: kb kub cub")
    assert IntentClassifier.fingerprint_addon({}) != before
