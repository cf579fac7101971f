"""Training the model only when something that goes into it changed."""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import settings
import shop
from launch import shop_folder
from launch.console import LaunchError, done, say
from settings import PROJECT_ROOT

INPUTS = ("data/**/*.yml", "domain.yml", "config.yml", "components/**/*.py", "components/**/*.txt",
          "components/**/*.npz", "requirements.lock")
NOT_INPUTS = ("data/policy_topics/", "data/shops/", "data/hinglish_words.yml")  # policy answers are made with these
KEPT_MODELS = 3
_NOISE = re.compile(r"Warning|^Traceback|^The above exception|GraphComponentException|^ ")


def fingerprint() -> str:
    """Hash of every file that goes into a model."""
    configured, ours = settings.load(), shop.load()
    digest = hashlib.sha256(f"{configured.order_number_pattern} {ours.name} {ours.orders} {ours.languages}".encode())
    for path in shop_folder.files(configured.shop_path):
        digest.update(path.read_bytes() + b"\0")
    for pattern in INPUTS:
        for path in sorted(PROJECT_ROOT.glob(pattern)):
            name = path.relative_to(PROJECT_ROOT).as_posix()
            if not name.startswith(NOT_INPUTS):
                digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def models_folder() -> Path:
    """Where the shop's models are."""
    return settings.load().models_path


def train() -> Path:
    """The model for today's inputs, trained when there is none. Raises LaunchError when training fails."""
    with _one_at_a_time():
        model = models_folder() / f"assistant-{fingerprint()}.tar.gz"
        if model.exists():
            with suppress(OSError):  # a read-only image has one model, trained while it was built
                os.utime(model)  # `models/` is read by "the newest archive"
            done(f"The model is up to date ({model.name}).")
            return model
        say("Training the model (about a minute and a half) ...")
        started = time.monotonic()
        with _reasons_learnt_beside():
            _check_designers_files()
            result = _run_rasa_train(model.name.removesuffix(".tar.gz"))
        if result.returncode != 0 or not model.exists():
            print(_said(result), file=sys.stderr)
            raise LaunchError("Training failed; the lines above name the file. Remedy: correct it, or `make validate`.")
        _write_digest(model)
        done(f"Trained {model.name} in {time.monotonic() - started:.0f} s.")
        _forget_old_models(model)
        return model


def wait_for_others() -> None:
    """Until nobody trains this shop's model."""
    with _one_at_a_time():
        pass


def nobody_trains() -> bool:
    """Whether `wait_for_others` would return at once."""
    try:
        with (models_folder() / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # as in `_one_at_a_time`
        return True
    return True


@contextmanager
def _reasons_learnt_beside() -> Iterator[None]:
    """When a person is called is learnt in a process of its own: two fits side by side use two cores better than two
    threads do in each. What it leaves is waited for by `components.escalation`, which learns it itself if this fails.
    """
    command = [sys.executable, "-m", "components.escalation", "--fit"]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=one_thread, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as learning:
        try:
            yield
        finally:
            learning.kill()


def _check_designers_files() -> None:
    """Raise LaunchError for a mistake: these checks know more remedies than Rasa's, and take a second."""
    checked = subprocess.run(
        [sys.executable, "-m", "workbench", "validate", "--files"], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    if checked.returncode != 0:
        print(checked.stdout or _said(checked), file=sys.stderr)
        raise LaunchError("Nothing was trained; the lines above name the files. Remedy: correct them.")


def _run_rasa_train(name: str) -> subprocess.CompletedProcess[str]:
    configured = settings.load()
    domain, data = shop_folder.compose(configured.shop_path, configured.state_path)
    command = [sys.executable, "-m", "launch.rasa_cli", "train", "--quiet", "--skip-validation"]
    command += ["--out", str(models_folder()), "--domain", str(domain), "--data", *map(str, data)]
    return subprocess.run(
        [*command, "--fixed-model-name", name], cwd=PROJECT_ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def _said(result: subprocess.CompletedProcess[str]) -> str:
    """What Rasa printed, as far as it helps: its messages and exceptions, not its frames and warnings.

    It warns of every response that only actions say, and wraps what went wrong in exceptions of its own.
    """
    lines = [*result.stdout.splitlines(), *result.stderr.splitlines()]
    return "\n".join([line for line in lines if line[:1].strip() and not _NOISE.search(line)][-15:])


def _write_digest(model: Path) -> None:
    """What the servers hold the model against before they load it, as `sha256sum -c` reads it."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    model.with_name(f"{model.name}.sha256").write_text(f"{digest}  {model.name}\n", encoding="utf-8")


def _forget_old_models(current: Path) -> None:
    archives = sorted(current.parent.glob("assistant-*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for archive in archives[KEPT_MODELS:]:
        if archive != current:
            archive.unlink(missing_ok=True)
            archive.with_name(f"{archive.name}.sha256").unlink(missing_ok=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    models = models_folder()
    with ExitStack() as stack:
        with suppress(OSError):  # where nothing can be written nobody trains
            models.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((models / ".lock").open("w")), fcntl.LOCK_EX)
        yield
