"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: str) -> None:
    """Put `content` in the place of a file, or make it; killed at any moment, the old or the new one is there.

    The file keeps its permissions. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644 if mode is None else mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
