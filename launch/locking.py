"""Locking the requirements: every package with its hashes, no index address in the file."""

from __future__ import annotations

import subprocess
import sys

from launch.console import done, fail, say
from settings import PROJECT_ROOT

LOCKS = ("requirements", "requirements-dev", "requirements-actions", "requirements-worker", "requirements-pictures",
         "requirements-tracing")  # fmt: skip


def lock() -> int:
    """Write requirements*.lock from requirements*.in. Returns the exit status."""
    uv = PROJECT_ROOT / "var" / "tools" / "bin" / "uv"
    if not uv.exists():
        fail("uv is not there. Remedy: delete .venv/.installed and run `make setup`.")
        return 1
    for name in LOCKS:
        say(f"Locking {name}.in ...")
        command = [str(uv), "pip", "compile", "--universal", "--python-version", "3.10", "--generate-hashes", "--quiet"]
        command += ["--no-emit-index-url", "--no-annotate", "--no-header", f"{name}.in", "-o", f"{name}.lock"]
        result = subprocess.run(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)
        if result.returncode != 0:
            fail(f"{name}.in cannot be resolved; the lines above name the conflict.")
            return 1
    done("Locked. Run `make setup` to install, and `make test` before you commit.")
    return 0


if __name__ == "__main__":
    sys.exit(lock())
