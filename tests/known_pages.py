"""What the shop's pages say, embedded once for all states that tests begin: ten seconds of a processor each.

`known_pages.npz` has the vectors, so that a new clone embeds none; a text that is not in there (any more) is embedded
as ever. `python -m tests.known_pages` rewrites it.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

import settings
from actions.knowledge.retrieval.embedding import E5
from actions.knowledge.retrieval.retriever import default_retriever
from workbench.dialogues.run import bring_numbers

SHIPPED = Path(__file__).with_suffix(".npz")
FOLDER = "knowledge"
FILE = f"embeddings-{E5.name}.npz"


def memory(state: Path, pages: Path) -> Path:
    """Where a state keeps the vectors of this folder of pages, as `default_retriever` does."""
    return state / FOLDER / hashlib.sha256(str(pages).encode()).hexdigest()[:12]


def embed_pages() -> Path:
    """See that the run's own STATE_DIR has them; the file that they are in."""
    configured = settings.load()
    known = memory(configured.state_path, configured.shop_path / "policy_kb")
    known.mkdir(parents=True, exist_ok=True)
    with (known.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run meet here
        if not (known / FILE).exists():
            shutil.copy(SHIPPED, known / FILE)
        assert default_retriever(wait=True).pages.sections
    return known / FILE


def bring_pages(state: Path, pages: Path | None = None) -> Path:
    """Put them into a state that begins, and what order numbers taught; the folder.

    `pages`: another folder of pages, which say much the same.
    """
    configured = settings.load()
    known = memory(state, pages or configured.shop_path / "policy_kb")
    known.mkdir(parents=True, exist_ok=True)
    shutil.copy(embed_pages(), known)
    bring_numbers(configured.state_path, state)
    return known


if __name__ == "__main__":
    shutil.copy(embed_pages(), SHIPPED)
