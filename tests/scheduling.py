"""In which order workers take the tests while `make test` trains the model that some of them need."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadGroupScheduling

from launch import training

ROOT = Path(__file__).resolve().parent.parent
# Of a module, in its text: the process that hands the tests out has collected none.
_NEEDS_THE_MODEL = re.compile(r"mark\.(?:journey|chaos|model)\b|from tests\.journeys\.shop import")


class ModelFreeFirst(LoadGroupScheduling):
    """While the model is being trained, the next tests that need none; a worker waits for it only when all others are
    taken. It changes the order alone: what a test needs, it waits for itself."""

    def _assign_work_unit(self, node: Any) -> None:
        if not _trained():
            ready = (scope for scope, unit in self.workqueue.items() if not needs_the_model(next(iter(unit))))
            if (scope := next(ready, None)) is not None:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


@functools.cache
def _module_needs_the_model(path: str) -> bool:
    return bool(_NEEDS_THE_MODEL.search((ROOT / path).read_text(encoding="utf-8")))


def needs_the_model(nodeid: str) -> bool:
    """Whether the module of a test has tests that wait for the model."""
    return _module_needs_the_model(nodeid.partition("::")[0])


_once_trained: list[bool] = []


def _trained() -> bool:
    """Whether nobody trains the model (any more)."""
    if not _once_trained and training.nobody_trains():
        _once_trained.append(True)
    return bool(_once_trained)
