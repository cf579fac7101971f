"""Locking the requirements: every package with its hashes, no index address in the file."""

import subprocess
import sys
from pathlib import Path

from launch.console import done, fail, say
from settings import PROJECT_ROOT

LOCKS = ("requirements", "requirements-dev", "requirements-actions", "requirements-worker", "requirements-pictures",
         "requirements-tracing")  # fmt: skip
# What Rasa requires and only training, or a pipeline with TensorFlow, imports: two thirds of a server's image.
ONLY_TRAINING = (
    "tensorflow", "tensorflow-cpu-aws", "tensorflow-intel", "tensorflow-macos", "tensorflow-estimator",
    "tensorflow-hub", "tensorflow-io-gcs-filesystem", "tensorflow-text", "tensorboard", "tensorboard-data-server",
    "keras", "jax", "jaxlib", "libclang", "h5py", "ml-dtypes", "opt-einsum", "astunparse", "flatbuffers", "gast",
    "google-pasta", "wrapt",
)  # fmt: skip


def lock() -> int:
    """Write requirements*.lock from requirements*.in. Returns the exit status."""
    uv = PROJECT_ROOT / "var" / "tools" / "bin" / "uv"
    if not uv.exists():
        fail("uv is not there. Remedy: delete .venv/.installed and run `make setup`.")
        return 1
    for name in LOCKS:
        if not _compile(uv, name, name):
            return 1
    without = [option for package in ONLY_TRAINING for option in ("--no-emit-package", package)]
    if not _compile(uv, "requirements", "requirements-server", "--constraint", "requirements.lock", *without):
        return 1
    done("Locked. Run `make setup` to install, and `make test` before you commit.")
    return 0


def _compile(uv: Path, source: str, target: str, *more: str) -> bool:
    """Write the lock `target` from the requirements `source`. False, said why, when they cannot be resolved."""
    say(f"Locking {target} ...")
    command = [str(uv), "pip", "compile", "--universal", "--python-version", "3.10", "--generate-hashes", "--quiet"]
    command += ["--no-emit-index-url", "--no-annotate", "--no-header", *more, f"{source}.in", "-o", f"{target}.lock"]
    if subprocess.run(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL).returncode != 0:
        fail(f"{source}.in cannot be resolved; the lines above name the conflict.")
        return False
    return True


if __name__ == "__main__":
    sys.exit(lock())
