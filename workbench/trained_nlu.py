"""The understanding part of the newest trained model, loaded without the rest of Rasa: in one second instead of ten."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import yaml

from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.intents.message_parts import reconsider
from components.text.classifier import Classifier, Prediction
from workbench.archives import NoTrainedModel, newest_archive
from workbench.phrases import PROJECT_ROOT

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
        return cls(_read(archive), fallback_threshold(), archive)

    def read(self, text: str) -> Prediction:
        """The ranking before the threshold."""
        return reconsider(text, self.model.predict(text, self._embeddings), self.model.glance)

    def label(self, text: str) -> str:
        """The intent that the dialogue sees."""
        return self.settle(self.read(text))

    def settle(self, prediction: Prediction) -> str:
        """The label of a prediction, or the rejection below the threshold."""
        return prediction.label if prediction.confidence >= self.threshold else REJECTED


def fallback_threshold(config: Path = PROJECT_ROOT / "config.yml") -> float:
    """What the pipeline rejects below."""
    pipeline = yaml.safe_load(config.read_text(encoding="utf-8"))["pipeline"]
    return next((float(part["threshold"]) for part in pipeline if part["name"] == "FallbackClassifier"), 0.0)


def is_right(wanted: str, label: str) -> bool:
    """Whether a label serves a phrase: what is out of scope may be rejected either way."""
    if wanted == "out_of_scope":
        return label in ("out_of_scope", REJECTED)
    return _SAME.get(label, label) == _SAME.get(wanted, wanted)


def _read(archive: Path) -> Classifier:
    with tarfile.open(archive) as packed, tempfile.TemporaryDirectory() as folder:
        member = next((m for m in packed.getmembers() if m.name.endswith(f"/{_FILE}")), None)
        if member is None:
            raise NoTrainedModel(f"{archive.name} was trained with another pipeline: run `make train`.")
        member.name = _FILE
        packed.extract(member, folder)
        return Classifier.load(Path(folder) / _FILE)
