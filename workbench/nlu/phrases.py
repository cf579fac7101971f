"""Labelled phrases, as they stand in Rasa's NLU files."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml_files

PROJECT_ROOT = Path(__file__).resolve().parents[2]
TRAINING = PROJECT_ROOT / "data" / "nlu"
HELD_OUT = PROJECT_ROOT / "tests" / "nlu" / "held_out"
SEALED = PROJECT_ROOT / "tests" / "nlu" / "sealed"
_ANNOTATION = re.compile(r"\[([^\]]+)\][({][^)}]*[)}]")


@dataclass(frozen=True)
class Phrase:
    """One labelled phrase and where it stands."""

    text: str
    intent: str
    file: Path
    line: int

    @property
    def place(self) -> str:
        """File and line as an editor opens them, from the project root."""
        return f"{shown(self.file)}:{self.line}"


def shown(path: Path) -> str:
    """A file as people name it: from the project root when it is inside."""
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)


def read_phrases(folder: Path) -> list[Phrase]:
    """Every phrase under a folder, files in order of their names, entity annotations removed."""
    return [phrase for path in sorted(folder.rglob("*.yml")) for phrase in phrases_in(path.read_text("utf-8"), path)]


def phrases_in(source: str, path: Path) -> list[Phrase]:
    """The phrases of one file's text, in order. Raises yaml.YAMLError."""
    blocks = (yaml_files.parsed(source) or {}).get("nlu") or []
    lines = iter(enumerate(source.splitlines(), start=1))
    found = []
    for block in blocks:
        for example in str(block.get("examples", "")).splitlines():
            if "intent" in block and example.startswith("- "):
                number = next(n for n, line in lines if line.strip() == example.strip())
                found.append(Phrase(_ANNOTATION.sub(r"\1", example[2:]).strip(), block["intent"], path, number))
    return found
