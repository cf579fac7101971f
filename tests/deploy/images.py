"""The images of deploy/Dockerfile without a container engine: read, laid out as it says, and their commands run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath
from typing import Any

from launch import bootstrap
from tests.children import ROOT, child

DOCKERFILE = ROOT / "deploy/Dockerfile"
TRACING = ROOT / "requirements-tracing.lock"


@dataclass
class Image:
    """What a stage's own lines and those of the stages that it is built on say."""

    environment: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[str | None, list[str], str]] = field(default_factory=list)  # stage, sources, target
    runs: list[str] = field(default_factory=list)
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    @property
    def lock(self) -> Path:
        """The packages that it has."""
        stage = next((stage for stage, _, target in self.copies if target == ".venv"), None) or "packages-training"
        return ROOT / next(found for found in lines(stage) if found[0] == "COPY")[1].split()[0]


def lines(stage: str) -> list[tuple[str, str]]:
    """(instruction, the rest) of one stage."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE))
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    body = next(one for one in stages if re.match(rf"\S+ AS {re.escape(stage)}\n", one))
    found = [tuple(line.split(None, 1)) for line in body.splitlines()[1:] if line.strip()]
    return [("FROM", body.split()[0]), *found]  # type: ignore[list-item]


def image(stage: str) -> Image:
    """The image of a target."""
    own = lines(stage)
    base = own[0][1]
    has = image(base) if re.search(rf" AS {re.escape(base)}$", DOCKERFILE.read_text(), re.MULTILINE) else Image()
    for instruction, rest in own[1:]:
        if instruction == "ENV":
            has.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif instruction == "COPY":
            words = [word for word in rest.split() if not word.startswith("--")]
            source = re.search(r"--from=(\S+)", rest)
            has.copies.append((source[1] if source else None, words[:-1], words[-1]))
        elif instruction == "RUN":
            has.runs.append(rest)
        elif instruction == "USER":
            has.user = rest
        elif instruction == "CMD":
            has.command = json.loads(rest)
        elif instruction == "HEALTHCHECK":
            has.health = json.loads(rest[rest.index("CMD") + 3 :])
    return has


def is_left_out(path: PurePosixPath) -> bool:
    """Whether a line of .dockerignore names this file or folder of the project."""
    return any(
        fnmatch(path.name if pattern.startswith("**/") else str(path), pattern.removeprefix("**/"))
        for pattern in (ROOT / ".dockerignore").read_text().split()
    )


def lay_out(stage: str, app: Path, models: Path | None = None) -> Image:
    """The files of a target's /app in the folder `app`, but for its packages. `models`: what training would leave."""
    has = image(stage)
    app.mkdir(parents=True)
    for source, names, target in has.copies:
        if source is None:
            for name in names:
                _copy_from_context(name, app, target)
        elif source == "trained" and names == ["/app"]:
            _copy_from_context(".", app, ".")
        if source == "trained" and models is not None:
            shutil.copytree(models, app / "models")
    return has


def _copy_from_context(name: str, app: Path, target: str) -> None:
    """As COPY does: a folder's content into the target, files into it by their names."""
    found = sorted(ROOT.glob(name)) if name != "." else [ROOT]
    assert found, f"COPY {name}: there is nothing of that name"
    for path in found:
        if path.is_dir():
            shutil.copytree(path, app / target, ignore=_left_out, dirs_exist_ok=True, symlinks=True)
        else:
            folder = app / target if target.endswith("/") else app
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / path.name)


def _left_out(folder: str, names: list[str]) -> set[str]:
    place = PurePosixPath(Path(folder).relative_to(ROOT))
    return {name for name in names if is_left_out(place / name)}


def give_packages(app: Path, lock: Path) -> None:
    """A `.venv` with those of this environment's packages that the lock and TRACING name, and no other."""
    locked = lock.read_text() + TRACING.read_text()
    wanted = {_plain(name) for name in re.findall(r"^([\w.-]+)==", locked, re.MULTILINE)}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", app / ".venv"], check=True, timeout=60)
    packages = next((app / ".venv/lib").glob("python*")) / "site-packages"
    for distribution in distributions():
        if _plain(distribution.metadata["Name"]) in wanted:
            source = Path(str(distribution.locate_file("")))
            tops = {_top(source, file.parts) for file in distribution.files or () if file.parts[0] != ".."}
            for top in tops:
                link = packages.joinpath(*top)
                link.parent.mkdir(parents=True, exist_ok=True)
                if not link.is_symlink():
                    link.symlink_to(source.joinpath(*top))


def install_packages(app: Path, lock: Path) -> None:
    """A `.venv` made by the Dockerfile's own lines."""
    uv = Path(bootstrap.get_uv())
    for file in (lock, TRACING):
        shutil.copy(file, app)
    stage = f"packages-{'training' if lock.stem == 'requirements' else lock.stem.removeprefix('requirements-')}"
    commands = [rest for name in ("packages", stage) for instruction, rest in lines(name)
                if instruction == "RUN" and rest.startswith("uv ")]  # fmt: skip
    environment = {**os.environ, "VIRTUAL_ENV": str(app / ".venv"), "UV_PYTHON_DOWNLOADS": "never", "TRACING": "1"}
    environment["PATH"] = f"{uv.parent}:{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
    if os.environ.get("PIP_INDEX_URL"):
        environment["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    for command in commands:
        subprocess.run(["bash", "-c", command], cwd=app, env=environment, check=True, timeout=900)


def _top(source: Path, parts: tuple[str, ...]) -> tuple[str, ...]:
    """What is linked to have a file: its package, which may be in a folder that packages share (google/)."""
    for depth in range(1, len(parts)):
        if parts[0].endswith("-info") or _is_package(source.joinpath(*parts[:depth])):
            return parts[:depth]
    return parts


@cache
def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").exists()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def make_read_only(app: Path) -> None:
    """Nobody may write there; who is root could all the same, and runs without root's privileges (`running`)."""
    for path in [app, *app.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


@contextlib.contextmanager
def running(
    has: Image, app: Path, folder: Path, environment: Mapping[str, str], command: list[str] | None = None
) -> Iterator[subprocess.Popen[Any]]:
    """The image's command (or another) in /app, with its environment on paths of this machine, as nobody special.

    Its standard error goes to `folder`/log; `folder` also has its /state and /tmp, the only places where it may write.
    """
    for name in ("state", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {"/app": str(app), "/state": str(folder / "state"), "/tmp": str(folder / "tmp")}
    settings = {
        name: re.sub(r"^/(app|state|tmp)\b", lambda found: places[found[0]], value)
        for name, value in has.environment.items() if not value.startswith("$")
    }  # fmt: skip
    settings |= {"HOST": "127.0.0.1", "TMPDIR": places["/tmp"], "SETTINGS_COMPLETE": "1", **environment}
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "OPENBLAS_CORETYPE") if name in os.environ}
    unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if os.geteuid() == 0 else []
    if unprivileged and not shutil.which("setpriv"):
        unprivileged = []
    wiped = ["env", "-i", *(f"{name}={value}" for name, value in (kept | settings).items())]
    with (folder / "log").open("ab") as log, child(
        [*unprivileged, *wiped, *(command or has.command)], cwd=app, stdout=log, stderr=log
    ) as process:
        yield process
