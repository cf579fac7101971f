"""A customer's message as YAML for the project: a training phrase, an example of a reason for a person, a test story.

Without personal data, as everything that the review writes. In `make run` it is also kept in STATE_DIR/review, to be
looked through and moved into the project by hand.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.escalation.examples import NONE, REASONS
from components.order_numbers.shops import shop_pattern
from workbench.review.training_phrase import as_training_phrase

KINDS = ("phrase", "escalation", "story")
FILES = {"phrase": "phrases.yml", "escalation": "escalation.yml", "story": "stories.yml"}


class CannotCopy(ValueError):
    """The message cannot become that; the text says why."""


def as_yaml(kind: str, label: str, turn: Mapping[str, Any]) -> str:
    """`label`: the intent, or the reason. Raises CannotCopy."""
    phrase = as_training_phrase(str(turn["text"]), shop_pattern())
    if not phrase:
        raise CannotCopy("Nothing is left of the message without its personal data.")
    if kind == "story":
        return _story(phrase, turn)
    if kind == "escalation" and label not in (*REASONS, NONE):
        raise CannotCopy(f"A reason is one of {', '.join((*REASONS, NONE))}.")
    if kind not in KINDS or not label:
        raise CannotCopy(f"A message becomes one of {', '.join(KINDS)}, under a label.")
    head = f"nlu:\n- intent: {label}" if kind == "phrase" else f"escalation:\n- reason: {label}"
    return f"{head}\n  examples: |\n    - {phrase}\n"


def _story(phrase: str, turn: Mapping[str, Any]) -> str:
    intents: Sequence[Any] = turn["understood"]["intents"]
    actions = [one["action"] for one in turn["decided"]]
    if not intents or not actions:
        raise CannotCopy("Only a message that the assistant answered can become a story.")
    name = yaml.safe_dump(f"Customer writes “{phrase[:60]}”", allow_unicode=True, width=1000).split("\n")[0]
    steps = "".join(f"  - action: {action}\n" for action in actions)
    return f"stories:\n- story: {name}\n  steps:\n  - user: |\n      {phrase}\n    intent: {intents[0][0]}\n{steps}"


def keep(folder: Path, kind: str, text: str) -> Path:
    """Append it to the file of its kind, whose first line is written once. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILES[kind]
    head, _, body = text.partition("\n")
    known = path.read_text(encoding="utf-8") if path.exists() else f"{head}\n"
    if body not in known:
        path.write_text(known + body, encoding="utf-8")
    return path
