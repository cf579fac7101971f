"""Rasa's agent with the trained model, in a process of ours."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.rasa_patches import loading


@contextlib.contextmanager
def without_progress_bars() -> Iterator[None]:
    """Rasa draws a bar for every rule that it reads."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def load_agent(archive: Path) -> Any:
    """The agent as the servers have it, quietly. Rasa takes seconds to import and warns of its own dependencies."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    with contextlib.redirect_stderr(io.StringIO()):
        loading.install()
        from rasa.core.agent import Agent
        from rasa.utils.log_utils import configure_structlog

        from connectors.rasa_patches import speedups
    speedups.install()
    warnings.filterwarnings("ignore")
    configure_structlog(logging.ERROR)
    logging.basicConfig(level=logging.ERROR)
    return Agent.load(str(archive))
