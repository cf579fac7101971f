"""What the shop's pages say, embedded once for all states that tests begin: ten seconds of a processor each."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import settings
from actions.knowledge.retrieval.retriever import default_retriever

FOLDER = "knowledge"


def embed_pages() -> Path:
    """See that the run's own STATE_DIR has them; the folder where they are."""
    known = settings.load().state_path / FOLDER
    known.mkdir(parents=True, exist_ok=True)
    with (known / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run meet here
        assert default_retriever(wait=True).pages.sections
    return known


def bring_pages(state: Path) -> None:
    """Put them into a state that begins."""
    shutil.copytree(embed_pages(), state / FOLDER, dirs_exist_ok=True)
