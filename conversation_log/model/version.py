"""The assistant's version, as written into every conversation."""

import functools
import re

from settings import PROJECT_ROOT


@functools.cache
def bot_version() -> str:
    """The version in pyproject.toml, `unknown` without one."""
    try:
        text = (PROJECT_ROOT / "pyproject.toml").read_text()
    except OSError:
        return "unknown"
    found = re.search(r'^version\s*=\s*"([^"]+)"', text, re.MULTILINE)
    return found.group(1) if found else "unknown"
