"""Files are checked as Rasa checks them: what it refuses is refused, in its words and with its line."""

from __future__ import annotations

import pytest
from rasa.shared.constants import DOMAIN_SCHEMA_FILE
from rasa.shared.exceptions import YamlException
from rasa.shared.utils import validation

from connectors.rasa_patches import schemas

GOOD = """version: "3.1"
intents: [greet]
responses:
  utter_hi:
  - text: hi
"""


@pytest.mark.parametrize(
    "wrong",
    ["  utter_hi: hi", "  utter_hi:\n  - txt: hi", "  utter_hi:\n  - text: hi\n  utter_hi:\n  - text: ho", "  - ["],
)
def test_what_rasa_refuses_is_refused_in_its_words(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    ours = validation.validate_yaml_schema
    stock = getattr(ours, "stock", ours)
    monkeypatch.setattr(validation, "validate_yaml_schema", stock)
    schemas.install()
    ours = validation.validate_yaml_schema
    assert ours is not stock
    ours(GOOD, DOMAIN_SCHEMA_FILE)
    text = GOOD.replace("  utter_hi:\n  - text: hi", wrong)
    with pytest.raises(YamlException) as by_rasa:
        stock(text, DOMAIN_SCHEMA_FILE)
    for _ in range(2):
        with pytest.raises(YamlException) as by_us:
            ours(text, DOMAIN_SCHEMA_FILE)
        assert str(by_us.value) == str(by_rasa.value)
