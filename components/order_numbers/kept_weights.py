"""What was learnt of a shop's numbers, kept under STATE_DIR: learning it takes a process a second of its start."""

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import settings

_KEPT = 8  # shapes, 300 KB each
_READ_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
Learnt = Sequence[tuple[dict[str, int], np.ndarray]]
"""Of each model the column of each feature, and its weights."""


def kept(pattern: str, examples: Path, learn: Callable[[], Learnt]) -> Learnt:
    """What `learn` gives for a shop's pattern; from the last time, as long as examples and code are the same."""
    made_with = hashlib.sha256(pattern.encode())
    for path in (examples, *sorted(Path(__file__).parent.glob("*.py"))):
        made_with.update(path.read_bytes())
    folder = settings.load().state_path / "cache"
    file = folder / f"order-numbers-{made_with.hexdigest()[:16]}.npz"
    with contextlib.suppress(*_READ_ERRORS), np.load(file, allow_pickle=False) as stored:
        columns = json.loads(stored["columns"].tobytes())
        return [(column, stored[f"weights{at}"]) for at, column in enumerate(columns)]
    learnt = learn()
    with contextlib.suppress(OSError):  # who may write nothing learns again
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.npz")
        columns = np.frombuffer(json.dumps([column for column, _ in learnt]).encode(), np.uint8)
        np.savez(partial, columns=columns, **{f"weights{at}": weights for at, (_, weights) in enumerate(learnt)})
        partial.replace(file)
        for old in sorted(folder.glob("order-numbers-*.npz"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    return learnt
