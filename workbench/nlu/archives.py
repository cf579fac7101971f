"""The trained model's archive."""

from pathlib import Path

import settings


class NoTrainedModel(FileNotFoundError):
    """There is no archive, or none of this pipeline; the message says what to run."""


def newest_archive(folder: Path | None = None) -> Path:
    """The archive that everything uses (default: of the shop's models). Raises NoTrainedModel."""
    folder = folder or settings.load().models_path
    archives = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not archives:
        raise NoTrainedModel(f"There is no trained model in {folder}: run `make train`.")
    return archives[-1]
