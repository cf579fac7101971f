"""The understanding part of the newest trained model, loaded without the rest of Rasa: in one second instead of ten."""

from __future__ import annotations

import tarfile
import tempfile
from functools import cached_property
from pathlib import Path

import yaml_files
from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.escalation.reasons import FILE as REASONS_FILE
from components.escalation.reasons import Reasons
from components.intents.message_parts import reconsider
from components.order_numbers.shops import shop_pattern
from components.text.classifier import Classifier, Prediction
from workbench.nlu.archives import NoTrainedModel, newest_archive
from workbench.nlu.phrases import PROJECT_ROOT

REJECTED = "nlu_fallback"
_FILE = "intent_model.npz"
# A follow-up about an order just shown is answered like the question that it follows.
_SAME = {"ask_delivery_date": "check_order_status", "ask_other_order": "check_order_status"}


class TrainedNlu:
    """Reads messages as the pipeline does: whole, parts, threshold."""

    def __init__(self, model: Classifier, threshold: float, archive: Path | None = None) -> None:
        self.model, self.threshold, self.archive = model, threshold, archive
        self._embeddings = SentenceEmbeddings()

    @classmethod
    def newest(cls, folder: Path = PROJECT_ROOT / "models") -> TrainedNlu:
        """From the newest archive of a folder. Raises NoTrainedModel."""
        archive = newest_archive(folder)
        return cls(_read(archive, _FILE), fallback_threshold(), archive)

    @cached_property
    def reasons(self) -> Reasons:
        """The reasons for a person of the same archive. Raises NoTrainedModel."""
        return Reasons(_read(self.archive or newest_archive(), REASONS_FILE), self._embeddings)

    def read(self, text: str) -> Prediction:
        """The ranking before the threshold."""
        return reconsider(text, self.model.predict(text, self._embeddings), self.model.predict_fast)

    def label(self, text: str) -> str:
        """The intent that the dialogue sees."""
        return self.settle(self.read(text))

    def settle(self, prediction: Prediction) -> str:
        """The label of a prediction, or the rejection below the threshold."""
        return prediction.label if prediction.confidence >= self.threshold else REJECTED


def fallback_threshold(config: Path = PROJECT_ROOT / "config.yml") -> float:
    """What the pipeline rejects below."""
    pipeline = yaml_files.read(config)["pipeline"]
    return next((float(part["threshold"]) for part in pipeline if part["name"] == "FallbackClassifier"), 0.0)


def is_right(wanted: str, label: str) -> bool:
    """Whether a label serves a phrase: what is out of scope may be rejected either way."""
    if wanted == "out_of_scope":
        return label in ("out_of_scope", REJECTED)
    return _SAME.get(label, label) == _SAME.get(wanted, wanted)


def _read(archive: Path, file: str) -> Classifier:
    with tarfile.open(archive) as packed, tempfile.TemporaryDirectory() as folder:
        member = next((m for m in packed if m.name.endswith(f"/{file}")), None)
        if member is None:
            raise NoTrainedModel(f"{archive.name} was trained with another pipeline: run `make train`.")
        member.name = file
        packed.extract(member, folder)
        return Classifier.load(Path(folder) / file, shop_pattern())
