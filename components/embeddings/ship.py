"""`python -m components.embeddings.ship`: embed every phrase again and write the file that is shipped."""

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml_files
from components.embeddings import shipped_embeddings
from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.text.message_text import readable

_DATA = Path(__file__).parents[2] / "data"


def phrases() -> Iterator[str]:
    """The training phrases and the examples of reasons for a person, as they are written."""
    for section in ("nlu", "escalation", "follow_ups"):
        for path in sorted((_DATA / section).rglob("*.yml")):
            for block in (yaml_files.read(path) or {}).get(section, []):
                for line in str(block.get("examples", "")).splitlines():
                    if line.startswith("- "):
                        yield line[2:].strip()


def main() -> int:
    """Embed every phrase again, in about a minute, and write the file."""
    embeddings = SentenceEmbeddings(shipped=None)
    texts = sorted({readable(phrase) for phrase in phrases()})
    shipped_embeddings.write(dict(zip(embeddings.keys(texts), embeddings.many(texts), strict=True)))
    file = shipped_embeddings.FILE
    print(f"{len(texts)} phrases, {file.stat().st_size / 1e6:.1f} MB in {file.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
