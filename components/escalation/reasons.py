"""The fitted learner of reasons: a probability for each, and the examples that a message is most like."""

import contextlib
import fcntl
import hashlib
import logging
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import settings
from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.escalation.examples import NONE, ROOT, training_examples
from components.order_numbers.shops import shop_pattern
from components.text.classifier import Classifier, ClassifierOptions, Embedder, digest, in_order
from components.text.message_text import folded

log = logging.getLogger(__name__)
FILE = "escalation_model.npz"
_NEAREST = 3
_KEPT = 3  # fits, 30 MB each
_AS_WRITTEN = 0.95  # share of the label of an example in the same words: "refund" is not what "refund me" is
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
_CODE = ("text", "embeddings", "escalation")


@dataclass(frozen=True)
class Opinion:
    """Probability of each reason and of none."""

    probabilities: Mapping[str, float]

    @property
    def need(self) -> float:
        """The probability that a person is needed, for whatever reason."""
        return 1.0 - self.probabilities.get(NONE, 0.0)


class Reader(Protocol):
    """Who has opinions about messages."""

    def read(self, text: str) -> Opinion:
        """What one message says by itself."""

    def nearest(self, text: str) -> list[tuple[str, str]]:
        """Reason and text of the examples that it is most like, the nearest first."""


class Reasons:
    """Reads messages with a fitted classifier; what is embedded is remembered for whoever asks next in the turn."""

    def __init__(self, classifier: Classifier, embedder: Embedder | None = None) -> None:
        self.classifier = classifier
        self._embedder = embedder or SentenceEmbeddings()

    def read(self, text: str) -> Opinion:
        """Without the embedding model, words alone tell."""
        try:
            prediction = self.classifier.predict(text, self._embedder)
        except Exception:  # whatever is wrong with the embedding model
            log.warning("escalation.embeddings.unavailable", exc_info=True)
            prediction = self.classifier.predict_fast(text)
        said = dict(prediction.ranking)
        if label := self._as_written.get(folded(text, self.classifier.pattern)):
            said = {each: (1 - _AS_WRITTEN) * share for each, share in said.items()}
            said[label] = said.get(label, 0.0) + _AS_WRITTEN
        return Opinion(said)

    @cached_property
    def _as_written(self) -> Mapping[str, str | None]:
        """The label of each example's words; None where examples contradict one another."""
        labels: dict[str, str | None] = {}
        for (label, _), words in zip(self.classifier.examples, self.classifier.folds, strict=True):
            labels[words] = label if labels.get(words, label) == label else None
        return labels

    def nearest(self, text: str) -> list[tuple[str, str]]:
        try:
            return self.classifier.nearest(text, self._embedder, _NEAREST)
        except Exception:
            log.warning("escalation.embeddings.unavailable", exc_info=True)
            return []


@lru_cache(maxsize=1)
def default_reasons(root: Path = ROOT) -> Reasons:
    """Of the newest archive in models/ when first asked; without one, fitted now. Raises EscalationDataError."""
    models = settings.load().models_path if root == ROOT else root / "models"
    archives = sorted(models.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    classifier = _from_archive(archives[0]) if archives else None
    return Reasons(classifier or fit(root))


def _from_archive(archive: Path) -> Classifier | None:
    try:
        with tarfile.open(archive) as packed, tempfile.TemporaryDirectory() as folder:
            for member in packed:
                if member.name.endswith(f"/{FILE}"):
                    member.name = FILE
                    packed.extract(member, folder)
                    return Classifier.load(Path(folder) / FILE, shop_pattern())
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError):
        log.warning("escalation.archive.unusable", exc_info=True)
    return None


def fit(root: Path = ROOT) -> Classifier:
    """Of the examples of a project folder; kept under STATE_DIR, since other changes leave it as it is. One that
    cannot be read, as when a process outlived a change of the code, is made anew. Whoever asks while another process
    fits waits for what that leaves.

    Raises EscalationDataError.
    """
    examples, cache = training_examples(root), settings.load().state_path / "cache"
    made_with = hashlib.sha256(digest(in_order(examples)).encode())
    made_with.update(code_digest())
    file = cache / f"escalation-{made_with.hexdigest()[:16]}.npz"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "escalation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(*_UNREADABLE):
            kept = Classifier.load(file, shop_pattern())
            os.utime(file)
            return kept
        fitted = Classifier.fit(examples, SentenceEmbeddings(cache / "embeddings.npz"), ClassifierOptions())
        partial = file.with_suffix(f".{os.getpid()}.partial")
        fitted.save(partial)
        partial.replace(file)
        for old in sorted(cache.glob("escalation-*.npz"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    return Classifier.load(file, shop_pattern())


def code_digest() -> bytes:
    """Of everything but the examples that a fit is made with."""
    made_with = hashlib.sha256()
    for room in _CODE:
        for path in sorted((ROOT / "components" / room).iterdir()):
            if path.suffix in (".py", ".txt"):
                made_with.update(path.read_bytes())
    return made_with.digest()

