"""Training data is joined as Rasa joins it, and each file is read once."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from rasa.shared.importers import utils as reading
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from connectors.rasa_patches import training_data

NLU = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - hi
    - hello
- synonym: shoes
  examples: |
    - trainers
- regex: size
  examples: |
    - \\d+
"""


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours in place of Rasa's until the test ends."""
    for owner, names in (
        (TrainingData, ("merge", "sanitize_examples")),
        (RasaFileImporter, ("get_domain", "get_nlu_data")),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, vars(owner)[name])
    training_data.install()


def _sets() -> list[TrainingData]:
    first = TrainingData(
        [Message.build("hi", " greet "), Message.build("bye", "goodbye")], {"trainers": "shoes"},
        [{"name": "size", "pattern": r"\d+"}], [{"name": "city", "elements": ["Pune", "Delhi"]}],
        {"utter_hi": [{"text": "hi"}]},
    )  # fmt: skip
    second = TrainingData(
        [Message.build("hi", "greet"), Message.build("thx", "thank")], {"sneakers": "shoes"},
        [{"name": "colour", "pattern": "red|blue"}], responses={"utter_hi": [{"text": "hello"}]},
    )  # fmt: skip
    return [first, second]


def _said(data: TrainingData) -> tuple[object, ...]:
    examples = [(example.get("text"), example.get("intent")) for example in data.training_examples]
    return examples, data.entity_synonyms, data.regex_features, data.lookup_tables, data.responses, data.fingerprint()


def test_sets_are_joined_as_rasa_joins_them(patched: None) -> None:
    by_rasa = _said(vars(training_data.merge)["stock"](TrainingData(), *_sets(), None))
    assert TrainingData.merge is training_data.merge
    sets = _sets()
    before = copy.deepcopy([_said(one) for one in sets])
    assert _said(TrainingData().merge(*sets, None)) == by_rasa
    assert [_said(one) for one in sets] == before


def test_an_example_keeps_its_fingerprint_where_nothing_is_stripped(patched: None) -> None:
    example, padded = Message.build("hi", "greet"), Message.build("bye", " goodbye ")
    example.fingerprint(), padded.fingerprint()
    TrainingData([example, padded])
    assert example._cached_fingerprint is not None
    assert padded.get("intent") == "goodbye"


def test_each_file_is_read_once_whoever_asks(patched: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nlu.yml").write_text(NLU)
    (tmp_path / "domain.yml").write_text('version: "3.1"\nintents: [greet]\n')
    read: list[str] = []
    original = reading.training_data_from_paths

    def counted(paths: list[str], language: str) -> TrainingData:
        read.extend(paths)
        return original(paths, language)

    monkeypatch.setattr(reading, "training_data_from_paths", counted)
    importer = TrainingDataImporter.load_from_dict({}, "", str(tmp_path / "domain.yml"), [str(tmp_path / "nlu.yml")])
    assert importer.get_domain().intents.count("greet") == 1
    assert {example.get("text") for example in importer.get_nlu_data().intent_examples} >= {"hi", "hello"}
    assert [Path(path).name for path in read] == ["nlu.yml"]
