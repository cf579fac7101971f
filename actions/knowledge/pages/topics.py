"""What shop customers usually ask: the catalogue in data/policy_topics/, which belongs to no shop.

A file is an area, a topic in it a name, what it is about, how customers ask it and how shops' pages say it.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

import yaml_files

FOLDER = Path(__file__).resolve().parents[3] / "data" / "policy_topics"


class TopicsError(ValueError):
    """A file of the catalogue has a mistake; the message names file, topic and remedy."""


@dataclass(frozen=True)
class Topic:
    """One usual topic; `said` may be empty: shops' pages seldom answer it."""

    area: str
    name: str
    about: str
    asked: tuple[str, ...]
    said: tuple[str, ...]


def load_topics(folder: Path = FOLDER) -> tuple[Topic, ...]:
    """All topics in the order of files. Raises TopicsError."""
    topics: list[Topic] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            entries = yaml_files.words(path)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise TopicsError(f"{path.name}: not valid YAML ({' '.join(str(error).split())[:160]}).") from None
        if not isinstance(entries, dict) or not isinstance(entries.get("policy_topics"), list):
            raise TopicsError(f"{path.name}: write 'policy_topics:' and below it '- topic: name' and more.")
        topics += [_topic(path, entry) for entry in entries["policy_topics"]]
    return tuple(topics)


def _topic(path: Path, entry: object) -> Topic:
    if not isinstance(entry, dict) or not entry.get("topic"):
        raise TopicsError(f"{path.name}: a topic has no name. Begin it with '- topic: name'.")
    asked, said = entry.get("asked"), entry.get("said", [])
    if not isinstance(asked, list) or len(asked) < 3 or not isinstance(said, list):
        raise TopicsError(f"{path.name}: '{entry['topic']}' needs 'asked:' with 3 lines '- question' or more.")
    about = str(entry.get("about") or entry["topic"])
    return Topic(path.stem, str(entry["topic"]), about, tuple(map(str, asked)), tuple(map(str, said)))
