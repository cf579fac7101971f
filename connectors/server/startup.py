"""What a server process is started with, and the error that ends a start."""

import asyncio
import hashlib
import logging
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTED_WITHIN_S = 0.1  # from the last of the listeners to the loop that runs for good

log = logging.getLogger(__name__)


class CannotStart(RuntimeError):
    """The server cannot serve; the message names the remedy."""


@dataclass(frozen=True)
class Options:
    """Where the model and Rasa's configuration files are."""

    models: Path
    endpoints: Path
    credentials: Path


def verify_model(archive: Path) -> None:
    """Hold a model against the digest that `make train` wrote beside it. Raises CannotStart.

    What is loaded decides what customers are told. A model without a digest is loaded with a warning.
    """
    beside = archive.with_name(f"{archive.name}.sha256")
    try:
        expected = beside.read_text(encoding="utf-8").split()[:1]
    except FileNotFoundError:
        log.warning("server.model.unverified model=%s. Remedy: copy its .sha256 along, or `make train`.", archive.name)
        return
    except (OSError, UnicodeDecodeError):
        expected = []
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if expected != [digest.hexdigest()]:
        raise CannotStart(
            f"the model {archive.name} is not the one that was trained: it does not have the sum in {beside.name}. "
            "Remedy: copy both again from where it was trained, or delete both and `make train`."
        )


def stop_when_told(app: Any) -> None:
    """From now on SIGINT and SIGTERM stop the Sanic application. To be called as it becomes ready, in its loop.

    Sanic's own handlers stop the loop at once: while the last listeners run, that ends no loop but theirs, and every
    later signal counts as told before. The server then goes on until it is killed.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, loop.call_later, STARTED_WITHIN_S, app.stop)
