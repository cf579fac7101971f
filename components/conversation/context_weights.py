"""What the examples add up to, so that a message is compared with their sum and not with each of them.

A kernel that is a product of features adds up: the sum over the examples of (message · example) × weight is message ·
(the sum of example × weight). So it is with the words of a follow-up and with what it means alone. Those examples count
twice that follow the same as the message, so there is a sum of all, and beside it one of each context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import scipy.sparse


@dataclass(frozen=True)
class ContextWeights:
    """Weights of each label for features.

    Shapes: `everywhere` (features, labels); `places` (k,), the features that a context's own examples have, ascending,
    one context after the other, and `here` (k, labels) their weights; `ends` (contexts + 1,) where each begins.
    """

    everywhere: np.ndarray
    places: np.ndarray
    here: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, examples: scipy.sparse.csr_matrix, dual: np.ndarray, contexts: np.ndarray, most: int) -> ContextWeights:
        """Add up: `examples` (n, features), `dual` (n, labels), `contexts` (n,) each below `most`."""
        places, here = [], []
        for context in range(most):
            chosen = contexts == context
            own = examples[chosen]
            places.append(np.unique(own.indices))
            here.append(own[:, places[-1]].T @ dual[chosen])
        ends = np.cumsum([0, *map(len, places)])
        return cls(examples.T @ dual, np.concatenate(places), np.concatenate(here), ends)

    def of_features(self, columns: np.ndarray, values: np.ndarray, context: int) -> np.ndarray:
        """The scores of each label, shape (labels,), for a message that has these features."""
        own = slice(self.ends[context], self.ends[context + 1])
        places = self.places[own]
        at = np.searchsorted(places, columns)
        known = at < len(places)
        known[known] = places[at[known]] == columns[known]
        scores: np.ndarray = values @ self.everywhere[columns] + values[known] @ self.here[own][at[known]]
        return scores

    def of_all(self, values: np.ndarray, context: int) -> np.ndarray:
        """The same for a message of which each feature is known, shape (features,)."""
        own = slice(self.ends[context], self.ends[context + 1])
        scores: np.ndarray = values @ self.everywhere + values[self.places[own]] @ self.here[own]
        return scores

    def arrays(self, name: str, dtype: type) -> dict[str, np.ndarray]:
        """As they are stored, by names that begin with `name`; the weights in `dtype`."""
        weights = {key: vars(self)[key].astype(dtype) for key in ("everywhere", "here")}
        return {f"{name}_{key}": array for key, array in (vars(self) | weights).items()}

    @classmethod
    def stored(cls, name: str, arrays: Mapping[str, np.ndarray]) -> ContextWeights:
        """What `arrays` gave."""
        return cls(**{field.name: arrays[f"{name}_{field.name}"] for field in fields(cls)})
