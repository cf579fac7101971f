"""Rasa's graph run in its own order, without a scheduler.

The original prunes the same two graphs and has a scheduler order them on every run. In training that order put the
policies before the intents, and so what is learnt in a process beside (`launch/training.py`) was waited for first.
"""

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner


def run_graph(
    self: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
) -> dict[str, Any]:
    """The targets' outputs by name: every node once, after those that it needs. Raises as the original."""
    wanted = targets or self._graph_schema.target_names
    plans = self.__dict__.setdefault("_plans", {})
    plan = plans.get(tuple(wanted))
    if plan is None:
        plan = plans[tuple(wanted)] = _plan(self._graph_schema.minimal_graph_schema(wanted))
    known: dict[str, Any] = {}
    for name, value in (inputs or {}).items():
        if isinstance(value, str) and value in plan:
            raise GraphRunError(f"Input value '{value}' clashes with a node name.")
        known[name] = (name, value)
    try:
        for name, needs in plan.items():
            known[name] = self._instantiated_nodes[name](*(known.get(need, need) for need in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return dict(known[name] for name in wanted)


def _plan(schema: GraphSchema) -> dict[str, tuple[str, ...]]:
    """The nodes in an order in which each comes after those that it needs, with what it needs."""
    plan: dict[str, tuple[str, ...]] = {}

    def add(name: str) -> None:
        if name in plan or name not in schema.nodes:
            return
        needs = tuple(schema.nodes[name].needs.values())
        for need in needs:
            add(need)
        plan[name] = needs

    for name in schema.nodes:
        add(name)
    return plan
