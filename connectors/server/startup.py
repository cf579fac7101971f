"""What a server process is started with, and the error that ends a start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class CannotStart(RuntimeError):
    """The server cannot serve; the message names the remedy."""


@dataclass(frozen=True)
class Options:
    """Where the model and Rasa's configuration files are."""

    models: Path
    endpoints: Path
    credentials: Path
