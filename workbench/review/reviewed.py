"""What has been reviewed, so that the next review shows what is new.

A file under STATE_DIR maps the digest of a redacted wording to the moment at which a designer saw it. It holds neither
a customer's words nor a customer's name, so erasing a customer has nothing to remove from it; digests older than the
log's own memory are forgotten.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from conversation_log.report.review_queue import wording_key
from conversation_log.storage.database import LogUnavailable
from workbench.review import whole_files

FILE = "reviewed.json"
KEPT = timedelta(days=120)


class Reviewed:
    """The memory of all reviews. Every `remember` is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        """Raises LogUnavailable when the file is damaged."""
        self._path = path
        self._seen = self._stored()

    def is_new(self, text: str, at: datetime) -> bool:
        """Whether a wording was written after it was last reviewed, or never was."""
        seen = self._seen.get(_digest(text))
        return seen is None or at > seen

    def remember(self, texts: Iterable[str], now: datetime) -> None:
        """These redacted wordings have been dealt with."""
        # Read again: somebody else may be reviewing, too.
        self._seen = self._stored() | self._seen | {_digest(text): now for text in texts}
        self._seen = {digest: at for digest, at in self._seen.items() if at > now - KEPT}
        stored = {digest: at.isoformat(timespec="seconds") for digest, at in sorted(self._seen.items())}
        whole_files.replace(self._path, json.dumps(stored, indent=0) + "\n")

    def _stored(self) -> dict[str, datetime]:
        if not self._path.exists():
            return {}
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            return {digest: datetime.fromisoformat(at) for digest, at in stored.items()}
        except (ValueError, TypeError, AttributeError):
            raise LogUnavailable(
                f"{self._path} is damaged. Remove it; what was reviewed is then shown once more."
            ) from None


def _digest(text: str) -> str:
    return hashlib.sha256(wording_key(text).encode()).hexdigest()[:16]
