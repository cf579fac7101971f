"""From a bare machine to `.venv`: find or fetch Python 3.10, get uv from pip, install the locked requirements.

Runs on any Python 3.7+ with the standard library alone (`python3 launch/bootstrap.py [extra]`). Does nothing, in a few
milliseconds, when `.venv` already matches the lock. Nothing is installed outside the project folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.lock"
EXTRAS = {"pictures": ROOT / "requirements-pictures.lock"}
STAMP = VENV / ".installed"
EXTRAS_ASKED = VENV / ".extras"
TOOLS = ROOT / "var" / "tools"
UV_VERSION = "0.13.9"


class BootstrapError(Exception):
    """A step failed; the message names the remedy."""


def say(text: str) -> None:
    print("▸ " + text, flush=True)


def locks() -> list[Path]:
    """What is to be installed: the lock, and those of the extras that were asked for now or once before."""
    before = EXTRAS_ASKED.read_text().split() if EXTRAS_ASKED.exists() else []
    return [LOCK, *(path for name, path in EXTRAS.items() if name in (*before, *sys.argv[1:]))]


def lock_digest() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in locks()) + UV_VERSION.encode()).hexdigest()


def is_whole() -> bool:
    """Whether `.venv` was made to its end, and nobody was interrupted while removing it."""
    return (VENV / "pyvenv.cfg").exists() and (VENV / "bin" / "python").exists()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == lock_digest() and is_whole()


def is_python310(command: str) -> bool:
    """Whether `command` runs a Python 3.10."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 10))"
    return succeeds([command, "-c", check])


def succeeds(command: list[str]) -> bool:
    """Whether `command` can be run and exits with 0."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def pyenv_candidates() -> list[str]:
    """Python 3.10 builds of pyenv, newest first."""
    try:
        versions = Path(os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")) / "versions"
        return [str(folder / "bin" / "python") for folder in sorted(versions.glob("3.10*"), reverse=True)]
    except (OSError, RuntimeError):  # another user's PYENV_ROOT came along (`su`, `sudo`), or there is no home
        return []


def find_python310() -> str | None:
    """$PYTHON, python3.10 on the PATH, a pyenv 3.10; None when uv has to download one."""
    chosen = os.environ.get("PYTHON")
    if chosen and not is_python310(chosen):
        say(f"PYTHON={chosen} is not a working Python 3.10; looking further.")
    candidates = [chosen, shutil.which("python3.10"), *pyenv_candidates()]
    return next((path for path in candidates if path and is_python310(path)), None)


def get_uv() -> str:
    """Install uv with this Python's pip under var/tools. Returns the path of its binary."""
    binary = TOOLS / "bin" / "uv"
    marker = TOOLS / ("uv-" + UV_VERSION)
    if binary.exists() and marker.exists():
        return str(binary)
    say(f"Getting uv {UV_VERSION} with pip ...")
    shutil.rmtree(str(TOOLS), ignore_errors=True)
    pythons = [python for python in (sys.executable, find_python310()) if python]
    if not any(pip_installs_uv(python) for python in pythons) or not binary.exists():
        raise BootstrapError(
            "pip could not install uv. Remedy: check the network, and that "
            f"`{sys.executable} -m pip --version` works (Debian, Ubuntu: apt-get install python3-pip)."
        )
    marker.touch()
    return str(binary)


def pip_installs_uv(python: str) -> bool:
    """Try with the pip of `python`. A Python without pip is not a failure yet: another may have one."""
    if not succeeds([python, "-m", "pip", "--version"]):
        return False
    command = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    environment = dict(os.environ, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PIP_ROOT_USER_ACTION="ignore")
    command += ["--target", str(TOOLS), "uv==" + UV_VERSION]
    return subprocess.run(command, env=environment).returncode == 0


def uv_environment() -> dict[str, str]:
    """uv keeps a Python it downloads inside the project, and asks the package index that pip is told to ask."""
    environment = dict(os.environ, UV_PYTHON_INSTALL_DIR=str(ROOT / "var" / "python"), VIRTUAL_ENV=str(VENV))
    index = os.environ.get("PIP_INDEX_URL")
    if index:
        environment.setdefault("UV_DEFAULT_INDEX", index)
    return environment


def run_uv(uv: str, arguments: list[str], remedy: str) -> None:
    if subprocess.run([uv, *arguments], cwd=str(ROOT), env=uv_environment()).returncode != 0:
        raise BootstrapError(remedy)


def install() -> None:
    """Make `.venv` from the locks."""
    uv, wanted = get_uv(), locks()
    python = find_python310()
    if not is_whole() or not is_python310(str(VENV / "bin" / "python")):
        if VENV.exists() and not (VENV / "pyvenv.cfg").exists():
            shutil.rmtree(str(VENV), ignore_errors=True)  # uv clears no folder that does not look like an environment
        say("Creating .venv with %s ..." % (python or "a Python 3.10 that uv downloads"))
        run_uv(
            uv,
            ["venv", "--quiet", "--clear", "--python", python or "3.10", str(VENV)],
            "No Python 3.10 could be found or downloaded. Remedy: install one and name it, e.g. "
            "`make run PYTHON=/path/to/python3.10`.",
        )
    say("Installing the locked requirements (about 240 packages, 3 GB on disk) ...")
    run_uv(
        uv,
        ["pip", "sync", "--require-hashes", "--quiet", *map(str, wanted)],
        "The locked requirements could not be installed. Remedy: check the network and the free disk space "
        "(4 GB), then run the same command again; it goes on where it stopped.",
    )
    EXTRAS_ASKED.write_text(" ".join(name for name, path in EXTRAS.items() if path in wanted))
    STAMP.write_text(lock_digest())


def main() -> int:
    # A shell without job control starts `make … &` with SIGINT ignored; pip and uv would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if is_current():
        return 0
    try:
        install()
    except BootstrapError as error:
        sys.stderr.write(f"✗ {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
