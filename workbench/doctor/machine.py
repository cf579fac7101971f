"""The machine and what is installed on it: disk, ports, rights, the trained model, packages as they are locked."""

import importlib.metadata
import json
import os
import re
import shutil
import stat
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from launch import processes, training
from launch.console import LaunchError
from launch.embedded_redis import server_binary
from settings import PROJECT_ROOT, Settings
from workbench.nlu.archives import NoTrainedModel, newest_archive
from workbench.nlu.trained_nlu import TrainedNlu
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

LITTLE_BYTES, NO_BYTES = 5_000_000_000, 500_000_000
LOCK = PROJECT_ROOT / "requirements.lock"


def findings(configured: Settings) -> Iterator[ShopFinding]:
    """Disk, STATE_DIR, .env, ports."""
    yield _disk(configured.state_path)
    yield from _env_file(PROJECT_ROOT / ".env")
    yield from _ports(configured)
    if not configured.values["REDIS_URL"]:
        try:
            yield ShopFinding(INFORMATION, "redis", "REDIS_URL", f"not set: {Path(server_binary()).name} here is used, "
                              "append-only, its files in STATE_DIR")  # fmt: skip
        except (ImportError, OSError):
            yield ShopFinding(ERROR, "redis", "REDIS_URL", "it is not set, and there is no Redis to start here",
                              "make setup, or REDIS_URL of a server")  # fmt: skip


def _disk(state: Path) -> ShopFinding:
    place = next(one for one in (state, *state.parents) if one.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        return ShopFinding(ERROR, "disk", "STATE_DIR", f"{place} cannot be written", "another STATE_DIR, or the rights")
    free = shutil.disk_usage(place).free
    said = f"{free / 1e9:.1f} GB are free"
    if free < LITTLE_BYTES:
        return ShopFinding(ERROR if free < NO_BYTES else WARNING, "disk", "STATE_DIR", said,
                           "free some: with a full disk no message can be stored")  # fmt: skip
    return ShopFinding(INFORMATION, "disk", "STATE_DIR", said)


def _env_file(path: Path) -> Iterator[ShopFinding]:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield ShopFinding(WARNING, "settings", ".env", "others on this machine may read its secrets", "chmod 600 .env")


def _ports(configured: Settings) -> Iterator[ShopFinding]:
    if processes.answers(f"{configured.url_of('RASA_PORT')}/webhooks/whatsapp/"):
        yield ShopFinding(INFORMATION, "ports", "RASA_PORT", "the assistant runs and can store messages")
        return
    for name in ("RASA_PORT", "ACTION_PORT"):
        try:
            processes.check_port(configured, name)
        except LaunchError as error:
            problem, _, remedy = str(error).partition(" Remedy: ")
            yield ShopFinding(ERROR, "ports", name, problem, f"{remedy} If it is the assistant: its log says what it "
                              "waits for")  # fmt: skip
        else:
            yield ShopFinding(INFORMATION, "ports", name, "free; the assistant does not run")


def model_findings(configured: Settings) -> Iterator[ShopFinding]:
    """Whether the archive is whole, of the installed Rasa, and made of today's files."""
    try:
        archive = newest_archive(configured.models_path)
    except NoTrainedModel as missing:
        yield ShopFinding(WARNING, "model", "models", str(missing).partition(":")[0],
                          "make train (`make serve` does it)")  # fmt: skip
        return
    rasa = importlib.metadata.version("rasa")
    trained_by = _trained_by(archive)
    if trained_by is None:
        yield ShopFinding(ERROR, "model", archive.name, "the archive is damaged, or none of Rasa's",
                          "delete it, then make train")  # fmt: skip
    elif trained_by != rasa:
        yield ShopFinding(ERROR, "model", archive.name, f"it was trained by Rasa {trained_by}, installed is {rasa}",
                          "make train")  # fmt: skip
    elif not (configured.models_path / f"assistant-{training.fingerprint()}.tar.gz").exists():
        yield ShopFinding(WARNING, "model", archive.name, "data, domain, configuration or components changed since",
                          "make train (`make serve` does it)")  # fmt: skip
    elif (trouble := _trouble(configured.models_path)) is not None:
        yield ShopFinding(ERROR, "model", archive.name, f"what it has learnt cannot be loaded ({trouble})",
                          "delete it, then make train")  # fmt: skip
    else:
        yield ShopFinding(INFORMATION, "model", archive.name, f"it loads, and is of today's files and Rasa {rasa}")


def _trouble(models: Path) -> str | None:
    """What keeps the newest model from reading a message; None when it does."""
    try:
        TrainedNlu.newest(models).label("hello")
    except Exception as error:
        return type(error).__name__
    return None


def _trained_by(archive: Path) -> str | None:
    """The Rasa version of an archive that can be read to its end."""
    version = None
    try:
        with tarfile.open(archive, "r:gz") as files:
            for member in files:
                content = files.extractfile(member)
                if content is not None and Path(member.name).name == "metadata.json":
                    version = str(json.loads(content.read())["rasa_open_source_version"])
                while content is not None and content.read(1 << 20):
                    pass
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError, TypeError):
        return None
    return version


def package_findings(configured: Settings, lock: Path = LOCK) -> Iterator[ShopFinding]:
    """The locked versions against the installed ones."""
    from packaging.requirements import Requirement

    locked = [Requirement(line) for line in re.findall(r"^(\w[^\\#\n]*==[^\\#\n]*)", lock.read_text(), re.MULTILINE)]
    wrong = []
    for one in locked:
        if one.marker is not None and not one.marker.evaluate():
            continue
        try:
            installed = importlib.metadata.version(one.name)
        except importlib.metadata.PackageNotFoundError:
            installed = ""
        if not installed or installed not in one.specifier:
            wrong.append(f"{one.name} {installed or 'is not there'} (locked: {str(one.specifier).lstrip('=')})")
    if sys.version_info[:2] != (3, 10):
        wrong.insert(0, f"Python {sys.version_info[0]}.{sys.version_info[1]} (3.10)")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        yield ShopFinding(ERROR, "packages", lock.name, f"not as locked: {', '.join(wrong[:5])}{more}",
                          "delete .venv, then make setup")  # fmt: skip
    else:
        yield ShopFinding(INFORMATION, "packages", lock.name, f"all {len(locked)} are installed as locked")
