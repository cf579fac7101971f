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


def test_only_phrases_of_its_own_make_a_shop_learn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_demo = IntentClassifier.fingerprint_addon({})
    monkeypatch.setenv("SHOP_DIR", str(tmp_path))
    monkeypatch.setattr(intent_classifier, "shop_pattern", lambda: r"WC-\d{4,5}")
    assert IntentClassifier.fingerprint_addon({}) == of_the_demo
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    own = "nlu:\n- intent: thank\n  examples: |\n    - wc-20455 is great\n"
    (tmp_path / "data" / "nlu" / "own.yml").write_text(own)
    assert IntentClassifier.fingerprint_addon({}) != of_the_demo
    assert intent_classifier._own_phrases() == {"wc-20455 is great"}
