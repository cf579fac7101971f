"""Each speed-up behaves as the stock function that it replaces."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import json
from typing import Any

import pytest
import rasa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.core.featurizers.tracker_featurizers import MaxHistoryTrackerFeaturizer
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    Event,
    LoopInterrupted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses

from connectors.rasa_patches import graph_run, predictions, replay, speedups
from tests.connectors.rasa_patches.stock import back_to_stock
from tests.connectors.stores.test_tracker_store import DOMAIN, LONG_CONVERSATIONS
from tests.examples import examples

STOCK_VALIDATE, STOCK_RUN = RemoteAction._validate_action_result, DaskGraphRunner.run
STOCK_STATES, STOCK_KEYS = RulePolicy._prediction_states, RulePolicy._get_possible_keys
STOCK_IS_EMPTY = Domain.is_empty


def test_another_version_of_rasa_keeps_its_stock_behaviour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasa, "__version__", "3.7.0")
    assert speedups.install() is False
    assert Event.resolve_by_type is not speedups.resolve_event_type
    assert RemoteAction._validate_action_result is STOCK_VALIDATE


def test_the_installed_rasa_is_the_one_they_were_written_for() -> None:
    assert speedups.install() is True


def test_origins_that_are_allowed_are_set_up_as_stock_does_and_for_none_nothing_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(speedups, "_stock_configure_cors", lambda app, origins: asked.append(origins))
    for origins in ("https://shop.example", "", None):
        speedups.configure_cors(None, origins)
    assert asked == ["https://shop.example"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.one_of(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["slot", "user", "bot", "action", "followup", "form", "zzz"])},
        optional={"name": JSON, "value": JSON, "timestamp": JSON, "text": JSON, "metadata": JSON},
    ),
    JSON,
)
RESULTS = st.one_of(
    JSON,
    st.fixed_dictionaries({}, optional={"events": st.one_of(st.lists(EVENTS, max_size=3), JSON), "responses": JSON}),
)


def verdict(validate: Any, result: Any) -> str:
    try:
        return str(validate(result))
    except ValidationError as error:
        return error.message


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(RESULTS)
def test_action_results_get_the_same_verdict_with_the_same_words(result: Any) -> None:
    remote = RemoteAction("action_x", None)
    ours = verdict(lambda value: speedups.validate_action_result(remote, value), copy.deepcopy(result))
    assert ours == verdict(lambda value: STOCK_VALIDATE(remote, value), copy.deepcopy(result))


def test_every_event_type_is_resolved_to_the_same_class() -> None:
    for name in {kind.type_name for kind in all_subclasses(Event)}:
        expected = speedups._stock_resolve_by_type(name)
        assert speedups.resolve_event_type(name) is expected
        assert speedups.resolve_event_type(name) is expected
    assert speedups.resolve_event_type("topic") is None
    default = speedups.resolve_event_type("slot")
    assert speedups.resolve_event_type("unheard_of", default) is default
    with pytest.raises(ValueError, match="unheard_of"):
        speedups.resolve_event_type("unheard_of")


@pytest.mark.parametrize("name", [module.__name__ for module in speedups.COPIES_FOR_DEBUG_ONLY])
def test_copies_are_left_out_only_where_they_feed_debug_logs(name: str) -> None:
    tree = ast.parse(inspect.getsource(importlib.import_module(name)))

    def uses(root: ast.AST) -> set[tuple[int, int]]:
        return {
            (node.lineno, node.col_offset)
            for node in ast.walk(root)
            if isinstance(node, ast.Name) and node.id == "copy"
        }

    in_debug = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "debug":
            in_debug |= uses(node)
    assert uses(tree) == in_debug
    assert in_debug


NEEDS = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        *(
            st.lists(st.sampled_from([*(f"n{i}" for i in range(n)), "__in__"]), max_size=3, unique=True)
            for n in range(size)
        )
    )
)


def runner_of(needs: tuple[list[str], ...], log: list[str]) -> DaskGraphRunner:
    """A runner over nodes that report what they were given, without Rasa's components."""

    def node(name: str) -> Any:
        def run(*given: Any) -> tuple[str, Any]:
            log.append(name)
            if name == "n7":
                raise RuntimeError("node failed")
            return name, (name, given)

        return run

    schema = GraphSchema(
        {
            f"n{number}": SchemaNode({f"x{i}": need for i, need in enumerate(needed)}, object, "create", "run", {})
            for number, needed in enumerate(needs)
        }
    )
    runner = DaskGraphRunner.__new__(DaskGraphRunner)
    runner._graph_schema = schema
    runner._instantiated_nodes = {name: node(name) for name in schema.nodes}
    runner._execution_context = None
    return runner


def outcome(run: Any, runner: DaskGraphRunner, inputs: dict[str, Any], target: str) -> Any:
    try:
        return run(runner, inputs, [target])
    except Exception as error:
        return type(error)


@hypothesis_settings(max_examples=examples(80), deadline=None)
@given(needs=NEEDS, value=st.sampled_from([["message"], {"a": 1}, "word"]))
def test_a_graph_gives_the_same_outputs_and_runs_each_node_once(needs: tuple[list[str], ...], value: Any) -> None:
    target = f"n{len(needs) - 1}"
    ours, theirs = [], []
    found = outcome(graph_run.run_graph, runner_of(needs, ours), {"__in__": value}, target)
    expected = outcome(STOCK_RUN, runner_of(needs, theirs), {"__in__": value}, target)
    assert found == expected
    assert sorted(ours) == sorted(theirs)


def test_an_input_that_is_named_like_a_node_is_refused_as_before() -> None:
    for run in (graph_run.run_graph, STOCK_RUN):
        assert outcome(run, runner_of(([],), []), {"__in__": "n0"}, "n0") is GraphRunError


def tracker_of(steps: list[list[Event]]) -> DialogueStateTracker:
    events = [copy.deepcopy(event) for step in steps for event in step]
    return DialogueStateTracker.from_events("91", events, DOMAIN.slots)


def states_of(tracker: DialogueStateTracker) -> list[Any]:
    return [
        tracker.past_states(DOMAIN, omit_unset_slots=omit, ignore_rule_only_turns=ignore)
        for omit in (False, True)
        for ignore in (False, True)
    ]


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(40), deadline=None)
@given(steps=LONG_CONVERSATIONS)
def test_trackers_are_replayed_to_the_same_states(steps: list[list[Event]]) -> None:
    stock = tracker_of(steps)
    expected = (
        [id(type(e)) for e in stock.applied_events()], states_of(stock), stock.current_slot_values(),
    )  # fmt: skip
    speedups.install()
    try:
        ours = tracker_of(steps)
        first = states_of(ours)
        for states in first:
            states[-1].clear()
        found = ([id(type(e)) for e in ours.applied_events()], states_of(ours), ours.current_slot_values())
    finally:
        back_to_stock()
    assert found == expected


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(40), deadline=None)
@given(steps=LONG_CONVERSATIONS, count=st.integers(1, 8))
def test_the_latest_states_are_the_end_of_all_states(steps: list[list[Event]], count: int) -> None:
    expected = tracker_of(steps).past_states(DOMAIN)[-count:]
    assert replay.latest_states(tracker_of(steps), DOMAIN, count) == expected


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(40), deadline=None)
@given(steps=LONG_CONVERSATIONS, count=st.integers(1, 8))
def test_states_asked_for_again_and_again_go_on_as_the_conversation_does(steps: list[list[Event]], count: int) -> None:
    growing = tracker_of([])
    for done, step in enumerate(steps, 1):
        for event in step:
            growing.update(copy.deepcopy(event))
        states = replay.latest_states(growing, DOMAIN, count)
        if done % 3 == 0 or done == len(steps):
            assert states == tracker_of(steps[:done]).past_states(DOMAIN)[-count:]


def state_of_tracker(tracker: DialogueStateTracker) -> dict[str, Any]:
    """Everything about a tracker, comparable."""
    known = {name: value for name, value in vars(tracker).items() if name not in ("slots", "active_loop", "events")}
    return known | {
        "events": [id(event) for event in tracker.events],
        "slots": {name: (type(slot), vars(slot)) for name, slot in tracker.slots.items()},
        "active_loop": vars(tracker.active_loop) if tracker.active_loop else None,
    }


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(steps=LONG_CONVERSATIONS)
def test_a_copied_tracker_is_what_replaying_makes_and_leads_its_own_life(steps: list[list[Event]]) -> None:
    tracker = tracker_of(steps)
    before = copy.deepcopy(state_of_tracker(tracker))
    ours, theirs = replay.copy_tracker(tracker), replay.stock_copy(tracker)
    assert state_of_tracker(ours) == state_of_tracker(theirs)
    for event in (SlotSet("size", "x"), ActiveLoop("a_form"), LoopInterrupted(True), ActionExecuted("action_x")):
        ours.update(event)
        theirs.update(event)
    assert state_of_tracker(ours) == state_of_tracker(theirs)
    assert state_of_tracker(tracker) == before


STATES = st.builds(
    lambda before, intent, size: {
        **({"prev_action": {"action_name": before}} if before else {}),
        **({"user": {"intent": intent}} if intent else {}),
        **({"slots": {"size": size}} if size else {}),
    },
    st.sampled_from(["action_listen", "action_x", "action_x", ""]),
    st.sampled_from(["greet", "bye", ""]),
    st.sampled_from([[1.0], [0.0, 1.0], "should_not_be_set", ""]),
)
RULES_OF_STATES = st.lists(st.lists(STATES, min_size=1, max_size=4), max_size=8)


def rule_policy(rules: list[list[Any]]) -> RulePolicy:
    policy = RulePolicy.__new__(RulePolicy)
    policy.lookup = {"rules": {json.dumps(rule): "action_x" for rule in rules}}
    policy._Policy__featurizer = MaxHistoryTrackerFeaturizer()  # type: ignore[attr-defined]
    return policy


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(200), deadline=None)
@given(rules=RULES_OF_STATES, states=st.lists(STATES, max_size=6), more=RULES_OF_STATES)
def test_the_same_rules_apply_to_a_conversation(rules: list[Any], states: list[Any], more: list[Any]) -> None:
    policy = rule_policy(rules)
    for lookup in (policy.lookup["rules"], {json.dumps(rule): "x" for rule in more}, policy.lookup["rules"]):
        expected = STOCK_KEYS(policy, lookup, states)
        assert predictions.get_possible_keys(policy, lookup, states) == expected


@pytest.mark.slow
@hypothesis_settings(max_examples=examples(40), deadline=None)
@given(rules=RULES_OF_STATES, steps=LONG_CONVERSATIONS, use_text=st.booleans())
def test_rules_see_the_conversation_as_far_back_as_they_reach(rules: Any, steps: Any, use_text: bool) -> None:
    policy = rule_policy(rules)
    longest = max(map(len, rules), default=0)
    expected = STOCK_STATES(policy, tracker_of(steps), DOMAIN, use_text)
    assert predictions.prediction_states(policy, tracker_of(steps), DOMAIN, use_text) == expected[-longest - 1 :]


def test_without_stories_memoization_predicts_nothing_as_before() -> None:
    policy = MemoizationPolicy.__new__(MemoizationPolicy)
    policy.config = MemoizationPolicy.get_default_config() | {"max_history": 6, "priority": 3}
    policy._Policy__featurizer = MaxHistoryTrackerFeaturizer(max_history=6)  # type: ignore[attr-defined]
    policy.priority = 3
    tracker = tracker_of([[ActionExecuted("action_listen"), UserUttered("hi", {"name": "greet"})]])
    for lookup in ({}, {"another story": "action_x"}):
        policy.lookup = lookup
        expected = predictions.stock_memoized(policy, tracker, DOMAIN)
        assert vars(predictions.memoized(policy, tracker, DOMAIN)) == vars(expected)


@pytest.mark.parametrize("domain", [DOMAIN, Domain.empty(), Domain.from_dict({"version": "3.1", "intents": ["greet"]})])
def test_a_domain_is_empty_when_it_was_before(domain: Domain) -> None:
    assert speedups.is_empty(domain) == STOCK_IS_EMPTY(domain)
