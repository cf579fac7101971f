"""How well the trained model understands phrases that it has never seen: by slice, by confusion, by confidence."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from workbench.nlu.phrases import Phrase
from workbench.nlu.trained_nlu import TrainedNlu, is_right


@dataclass(frozen=True)
class Reading:
    """What the model made of one phrase: `label` after the threshold, `confidence` before."""

    phrase: Phrase
    label: str
    confidence: float

    @property
    def right(self) -> bool:
        return is_right(self.phrase.intent, self.label)


@dataclass(frozen=True)
class SliceScore:
    """Right ones of a slice; out-of-scope phrases count as right when rejected."""

    name: str
    right: int
    total: int

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else 0.0


@dataclass(frozen=True)
class Confusion:
    """Phrases of one intent that were taken for another, the surest mistakes first."""

    wanted: str
    given: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class CalibrationBin:
    """Readings whose confidence lies around `confidence`, and the share of them that was right."""

    confidence: float
    share: float
    count: int


@dataclass(frozen=True)
class Report:
    """Everything that the terminal and the page show."""

    readings: tuple[Reading, ...]
    slices: tuple[SliceScore, ...]
    confusions: tuple[Confusion, ...]
    calibration: tuple[CalibrationBin, ...]
    sealed: tuple[SliceScore, ...] = ()
    """Phrases that nobody reads while the model is improved: their totals are all that is kept of them."""

    @property
    def calibration_error(self) -> float:
        """How far confidence and share of right ones lie apart on average, 0 to 1."""
        total = sum(part.count for part in self.calibration)
        return sum(abs(part.confidence - part.share) * part.count for part in self.calibration) / max(total, 1)

    @property
    def overall(self) -> SliceScore:
        return SliceScore("all", sum(reading.right for reading in self.readings), len(self.readings))

    @property
    def worst(self) -> list[Reading]:
        """Mistakes, the most confident first: these the customer feels as nonsense."""
        return sorted((r for r in self.readings if not r.right), key=lambda r: -r.confidence)


def measure(phrases: Sequence[Phrase], nlu: TrainedNlu, sealed: Path | None = None) -> Report:
    """Read every phrase once. `sealed`: folder of .tsv files, `text<TAB>label|label`, of which only totals are kept."""
    readings = []
    for phrase in phrases:
        prediction = nlu.read(phrase.text)
        readings.append(Reading(phrase, nlu.settle(prediction), prediction.confidence))
    totals = tuple(_sealed(path, nlu) for path in sorted(sealed.glob("*.tsv"))) if sealed else ()
    return Report(tuple(readings), _slices(readings), _confusions(readings), _calibration(readings), totals)


def _sealed(path: Path, nlu: TrainedNlu) -> SliceScore:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    right = 0
    for text, _, acceptable in (line.partition("\t") for line in lines):
        label = nlu.settle(nlu.read(text))
        right += any(is_right(wanted.strip(), label) for wanted in acceptable.split("|"))
    return SliceScore(path.stem, right, len(lines))


def _slices(readings: Sequence[Reading]) -> tuple[SliceScore, ...]:
    groups: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        groups[reading.phrase.file.stem].append(reading)
    return tuple(SliceScore(name, sum(r.right for r in group), len(group)) for name, group in sorted(groups.items()))


def _confusions(readings: Sequence[Reading]) -> tuple[Confusion, ...]:
    pairs = Counter((r.phrase.intent, r.label) for r in readings if not r.right)
    return tuple(
        Confusion(
            wanted,
            given,
            tuple(
                sorted(
                    (r for r in readings if not r.right and (r.phrase.intent, r.label) == (wanted, given)),
                    key=lambda r: -r.confidence,
                )
            ),
        )
        for (wanted, given), _ in pairs.most_common()
    )


def _calibration(readings: Sequence[Reading], bins: int = 8) -> tuple[CalibrationBin, ...]:
    """Bins of equal width over confidences; rightness here is that of the best label, without the threshold's mercy."""
    edges = np.linspace(0.2, 1.0, bins + 1)
    found = []
    for low, high in pairwise(edges):
        inside = [r for r in readings if low <= r.confidence < high or (high == 1.0 and r.confidence == 1.0)]
        if inside:
            mean = float(np.mean([r.confidence for r in inside]))
            found.append(CalibrationBin(mean, float(np.mean([r.right for r in inside])), len(inside)))
    return tuple(found)
