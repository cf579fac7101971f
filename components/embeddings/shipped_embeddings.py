"""Embeddings of the training phrases as they are shipped, so that the first training takes less than a minute.

`python -m components.embeddings.shipped_embeddings` writes them anew after many phrases have changed; what is missing
or stale costs the first training 7 ms of one core a phrase and nothing else. A byte a number: 3 MB, and every vector
is turned by about a degree.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

FILE = Path(__file__).with_name("shipped_embeddings.npz")
_DATA = Path(__file__).parents[2] / "data"


def read(file: Path = FILE) -> dict[str, np.ndarray]:
    """Vectors of norm 1 by key; empty when there is no such file."""
    if not file.exists():
        return {}
    with np.load(file, allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(np.float32) * stored["steps"] + stored["mean"]
        keys = stored["keys"].astype(str).tolist()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(keys, vectors.astype(np.float16), strict=True))


def write(known: dict[str, np.ndarray], file: Path = FILE) -> None:
    """Keep these vectors, in the order of their keys: the same ones give the same file."""
    keys = sorted(known)
    vectors = np.array([known[key] for key in keys], dtype=np.float32)
    mean = vectors.mean(axis=0)
    steps = np.maximum(np.abs(vectors - mean).max(axis=0), 1e-6) / 127
    rounded = ((vectors - mean) / steps).round().astype(np.int8)
    np.savez_compressed(file, keys=np.array(keys, dtype="S32"), vectors=rounded, steps=steps, mean=mean)


def phrases() -> Iterator[str]:
    """The training phrases and the examples of reasons for a person, as they are written."""
    for section in ("nlu", "escalation", "follow_ups"):
        for path in sorted((_DATA / section).rglob("*.yml")):
            for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(section, []):
                for line in str(block.get("examples", "")).splitlines():
                    if line.startswith("- "):
                        yield line[2:].strip()


def main() -> int:
    """Embed every phrase afresh, in about a minute, and write the file."""
    from components.embeddings.sentence_embeddings import SentenceEmbeddings
    from components.text.message_text import readable

    embeddings = SentenceEmbeddings(shipped=None)
    texts = sorted({readable(phrase) for phrase in phrases()})
    write(dict(zip(embeddings.keys(texts), embeddings.many(texts), strict=True)))
    print(f"{len(texts)} phrases, {FILE.stat().st_size / 1e6:.1f} MB in {FILE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
