"""Training data that is read once and passed on: a third of what training does before it fits anything.

    files              the original parses domain and examples again for each of the importers that ask for them
    merge              the original copies every example each time that two sets are joined, which is eight times
    sanitize_examples  the original forgets every example's fingerprint, whether or not there was a blank to strip

Examples are shared between the sets that are joined; only the training graph changes any, and it reads the last set.
Installed by `connectors.rasa_patches.loading`, which knows for which Rasa.
"""

from __future__ import annotations

import copy
from typing import Any

STRIPPED = ("intent", "response")


def install() -> None:
    """Put them in the place of the originals; twice is once."""
    from rasa.shared.importers.rasa import RasaFileImporter
    from rasa.shared.nlu.training_data.training_data import TrainingData
    from rasa.shared.utils.common import cached_method

    if TrainingData.merge is merge:
        return
    vars(merge)["stock"] = TrainingData.merge  # for the test that compares
    RasaFileImporter.get_domain = cached_method(RasaFileImporter.get_domain)
    RasaFileImporter.get_nlu_data = cached_method(RasaFileImporter.get_nlu_data)
    TrainingData.merge = merge
    TrainingData.sanitize_examples = staticmethod(sanitize_examples)


def merge(self: Any, *others: Any) -> Any:
    """As TrainingData.merge: one set of all examples, synonyms, features, tables and responses."""
    from rasa.shared.nlu.training_data import util

    sets = [self, *filter(None, others)]
    synonyms: dict[str, str] = {}
    responses = copy.deepcopy(self.responses)
    for one in sets:
        for text, synonym in one.entity_synonyms.items():
            util.check_duplicate_synonym(synonyms, text, synonym, "merging training data")
        synonyms.update(one.entity_synonyms)
        responses.update(one.responses)
    examples, features, tables = (
        [part for one in sets for part in getattr(one, name)]
        for name in ("training_examples", "regex_features", "lookup_tables")
    )
    return type(self)(examples, synonyms, features, tables, responses)


def sanitize_examples(examples: list[Any]) -> list[Any]:
    """As TrainingData.sanitize_examples: each example once, its intent and response without blanks around them."""
    for example in examples:
        for name in STRIPPED:
            value = example.get(name)
            if value and value != value.strip():
                example.set(name, value.strip())
    return list(dict.fromkeys(examples))
