"""Predicting faster: the policies' side of `connectors.rasa_patches.speedups`.

Stock RulePolicy describes the whole conversation for every prediction and compares each rule with all of it, although a
rule says nothing about what lies before its first step; MemoizationPolicy does so even when it remembers no story.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, SHOULD_NOT_BE_SET, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

from connectors.rasa_patches import replay

stock_memoized = MemoizationPolicy.predict_action_probabilities


@dataclass(frozen=True)
class _Rules:
    """A lookup's rules, read once: each one's states, the latest first, the most that one has, and which can apply to a
    latest state."""

    backwards: dict[str, list[State]]
    longest: int
    by_latest: dict[tuple[str, str] | None, list[str]]

    @classmethod
    def read(cls, policy: RulePolicy, lookup: dict[str, str]) -> _Rules:
        """Parse the keys of a lookup."""
        backwards = {key: policy._rule_key_to_state(key)[::-1] for key in lookup}
        by_latest: dict[tuple[str, str] | None, list[str]] = {}
        for key, states in backwards.items():
            by_latest.setdefault(_asks_for(states[0]), []).append(key)
        return cls(backwards, max(map(len, backwards.values()), default=0), by_latest)

    def candidates(self, latest: State) -> list[str]:
        """The rules whose latest step asks for this action and intent, or does not ask so plainly."""
        plain = _asks_for(latest)
        return [*(self.by_latest.get(plain, ()) if plain else ()), *self.by_latest.get(None, ())]


def _asks_for(state: State) -> tuple[str, str] | None:
    """The previous action and intent of a step, which both must agree; None when it does not name both."""
    action = (state.get(PREVIOUS_ACTION) or {}).get(ACTION_NAME)
    intent = (state.get(USER) or {}).get(INTENT)
    if not action or not intent or SHOULD_NOT_BE_SET in (action, intent):
        return None
    return action, intent


def _read(policy: RulePolicy, lookup: dict[str, str]) -> _Rules:
    """The rules of a lookup of this policy, kept."""
    kept = policy.__dict__.setdefault("_read_rules", {})
    found = kept.get(id(lookup))
    if found is None or found[0] is not lookup:
        found = kept[id(lookup)] = (lookup, _Rules.read(policy, lookup))
    return found[1]


def _reach(policy: RulePolicy) -> int:
    """How many states the longest rule has."""
    lookups = (policy.lookup.get(RULES, {}), policy.lookup.get(RULES_FOR_LOOP_UNHAPPY_PATH, {}))
    return max((_read(policy, lookup).longest for lookup in lookups if lookup), default=0)


def prediction_states(
    self: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool = False,
    rule_only_data: dict[str, Any] | None = None,
) -> list[State]:
    """The end of what RulePolicy._prediction_states gives, one state longer than any rule.

    One longer, since without a matching rule the states themselves become a key, which must equal no rule's.
    """
    states = replay.latest_states(tracker, domain, _reach(self) + 1)
    sliced: list[State] = self.featurizer.slice_state_history(states, self.featurizer.max_history)
    self.featurizer._choose_last_user_input([sliced], use_text_for_last_user_input)
    return sliced


def get_possible_keys(self: RulePolicy, lookup: dict[str, str], states: list[State]) -> set[str]:
    """As RulePolicy._get_possible_keys, which reads every rule again for every state."""
    if not states:
        return set(lookup)
    rules = _read(self, lookup)
    possible = rules.candidates(states[-1])
    for index, state in enumerate(reversed(states)):
        longer = [key for key in possible if len(rules.backwards[key]) > index]
        if not longer:
            break
        gone = {key for key in longer if not _applies(self, rules.backwards[key][index], state)}
        possible = [key for key in possible if key not in gone]
    return set(possible)


def _applies(policy: RulePolicy, rule_state: State, state: State) -> bool:
    """As the end of RulePolicy._is_rule_applicable: only a conversation's start has no previous action."""
    in_rule, in_conversation = rule_state.get(PREVIOUS_ACTION), state.get(PREVIOUS_ACTION)
    if not in_rule or not in_conversation:
        return not in_rule and not in_conversation
    return bool(policy._does_rule_match_state(rule_state, state))


def memoized(
    self: MemoizationPolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    rule_only_data: dict[str, Any] | None = None,
    **kwargs: Any,
) -> PolicyPrediction:
    """As MemoizationPolicy.predict_action_probabilities."""
    if not self.lookup:
        return self._prediction(self._default_predictions(domain))
    return stock_memoized(self, tracker, domain, rule_only_data, **kwargs)


REPLACED = (
    (RulePolicy, "_prediction_states", prediction_states),
    (RulePolicy, "_get_possible_keys", get_possible_keys),
    (MemoizationPolicy, "predict_action_probabilities", memoized),
)
