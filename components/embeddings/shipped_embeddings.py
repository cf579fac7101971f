"""Embeddings of the training phrases as they are shipped, so that the first training takes less than a minute.

`python -m components.embeddings.ship` rewrites them after many phrases have changed; what is missing or stale costs
the first training 7 ms of one core a phrase and nothing else. A byte a number: 3 MB, and every vector is turned by
about a degree.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("shipped_embeddings.npz")


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
