"""The trained model's archive."""

from __future__ import annotations

from pathlib import Path

from workbench.nlu.phrases import PROJECT_ROOT


class NoTrainedModel(FileNotFoundError):
    """There is no archive, or none of this pipeline; the message says what to run."""


def newest_archive(folder: Path = PROJECT_ROOT / "models") -> Path:
    """The archive that everything uses. Raises NoTrainedModel."""
    archives = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not archives:
        raise NoTrainedModel(f"There is no trained model in {folder}: run `make train`.")
    return archives[-1]
