"""The actions by name, and which of them answers an intent, as `data/rules/` says: no action lists the others."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import actions
import skills
from actions.skill.action import BaseAction


def answering(intent: str) -> type[BaseAction] | None:
    """The action that tells the answer to this intent and does nothing else; None where none does."""
    kind = by_name().get(skills.load().answers.get(intent, ""))
    return kind if kind is not None and kind.only_tells else None


def said_to(intent: str) -> str | None:
    """The response that is the whole answer to this intent; None where none is."""
    answer = skills.load().answers.get(intent, "")
    return answer if answer.startswith("utter_") else None


@lru_cache(maxsize=1)
def by_name() -> Mapping[str, type[BaseAction]]:
    """Every action of the modules under `actions/`, and of the rooms there that name theirs."""
    for module in pkgutil.iter_modules(actions.__path__, "actions."):
        importlib.import_module(module.name)
    return {kind().name(): kind for kind in _below(BaseAction) if not getattr(kind, "__abstractmethods__", None)}


def _below(base: Any) -> Iterator[type[BaseAction]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("actions."):
            yield kind
        yield from _below(kind)
