"""Copies of the project in which something is added and learnt: with fewer examples, as what they teach is tested
elsewhere and fitting costs the cube of them."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import settings
from components.escalation.examples import training_examples
from components.escalation.reasons import code_digest
from components.text.classifier import digest, in_order
from tests.children import ROOT

# Without the chats about pages, more than half of what follows something, without the languages that nobody talks here.
# What is compiled comes along, but for what is just being written.
LEFT_OUT = shutil.ignore_patterns(
    "chats", "es", "hi", "pt", ".git", ".venv", "var", "models", "results", "*.pyc.*", ".*_cache", "sealed"
)
EXAMPLE = re.compile(r" +- (?!intent|after)")


def copied(folder: Path) -> Path:
    """The project as `folder`."""
    return Path(shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True))


def every_second_example_left_out(copy: Path, but: str = "") -> None:
    """Each block keeps its first. `but`: the name of a file that keeps all."""
    for file in (*copy.glob("data/nlu/*.yml"), *copy.glob("data/follow_ups/*.yml")):
        if file.name != but:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            examples = [place for place, line in enumerate(lines) if EXAMPLE.match(line)]
            left_out = {place for place in examples[::2] if EXAMPLE.match(lines[place - 1])}
            kept = (line for place, line in enumerate(lines) if place not in left_out)
            file.write_text("".join(kept), encoding="utf-8")


def bring_what_calls_a_person(copy: Path, state: Path) -> None:
    """Put what the run's own STATE_DIR has fitted into a state of the copy. The fit counts as one of the copy's
    examples: they are nearly the same, and neither a skill nor a shop is a reason for a person."""
    kept = settings.load().state_path / "cache"
    if kept.exists():
        shutil.copytree(kept, state / "cache", dirs_exist_ok=True)
        examples = digest(in_order(training_examples(copy))).encode() + code_digest()
        for fitted in sorted(kept.glob("escalation-*.npz"), key=lambda path: path.stat().st_mtime)[-1:]:
            (state / "cache" / fitted.name).rename(
                state / "cache" / f"escalation-{hashlib.sha256(examples).hexdigest()[:16]}.npz"
            )
