"""Which rule or story a prediction follows, by its name in data/.

Rasa's policies find a rule or story by a key and forget which it was; the names are not in the model. Both are joined
here: the key is noted while Rasa predicts, and the rules and stories of data/ are turned into keys by the policy's own
code.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from workbench.checks import yaml_lines
from workbench.nlu.phrases import PROJECT_ROOT
from workbench.talk.agent import without_progress_bars

_LOOP = "handling active loops and forms - "


@dataclass(frozen=True)
class Note:
    """One prediction. `source` names the rule or story in data/, or the form; empty for neither."""

    policy: str
    action: str
    source: str
    slots: Mapping[str, Any]
    """What the policy itself sets, as the one that calls a person does."""


class Sources:
    """Notes which rule or story each prediction follows, while `noting`; `behind` gives the notes back in order."""

    def __init__(self, trackers: Sequence[Any], domain: Any) -> None:
        """`trackers` of `training_trackers`."""
        self._trackers = trackers
        self._domain = domain
        self._names: dict[str, dict[str, list[str]]] = {}
        self._newest: dict[str, str] = {}
        self._notes: list[Note] = []

    def behind(self, policy: str | None, action: str) -> Note | None:
        """The oldest prediction of this action that was not asked for yet."""
        for place, note in enumerate(self._notes):
            if (note.policy, note.action) == (policy, action):
                del self._notes[: place + 1]
                return note
        return None

    @contextmanager
    def noting(self) -> Iterator[None]:
        """While it lasts, the predictions of all agents in this process are noted."""
        from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble as Ensemble
        from rasa.core.policies.memoization import MemoizationPolicy
        from rasa.core.policies.rule_policy import RulePolicy

        by_rule, by_memory, combine = (
            RulePolicy._predict,
            MemoizationPolicy._recall_states,
            Ensemble.combine_predictions,
        )

        def rule(policy: Any, tracker: Any, domain: Any) -> Any:
            prediction, key = by_rule(policy, tracker, domain)
            self._newest["RulePolicy"] = self._named(policy, key)
            return prediction, key

        def memory(policy: Any, states: Any) -> Any:
            self._newest["MemoizationPolicy"] = self._named(policy, policy._create_feature_key(states))
            return by_memory(policy, states)

        def combined(ensemble: Any, predictions: Any, tracker: Any, domain: Any) -> Any:
            chosen = combine(ensemble, predictions, tracker, domain)
            action = domain.action_names_or_texts[chosen.probabilities.index(chosen.max_confidence)]
            slots = {event.key: event.value for event in chosen.events if hasattr(event, "key")}
            self._notes.append(Note(chosen.policy_name, action, self._newest.get(chosen.policy_name, ""), slots))
            return chosen

        with (
            mock.patch.object(RulePolicy, "_predict", rule),
            mock.patch.object(MemoizationPolicy, "_recall_states", memory),
            mock.patch.object(Ensemble, "combine_predictions", combined),
        ):
            yield

    def _named(self, policy: Any, key: str | None) -> str:
        kind = "RulePolicy" if hasattr(policy, "_find_action_from_rules") else "MemoizationPolicy"
        if kind not in self._names:
            self._names[kind] = self._keys(policy, with_rules=kind == "RulePolicy")
        if key and key.startswith(_LOOP):
            return "form " + key.removeprefix(_LOOP).split(" - ")[0]
        return " / ".join(self._names[kind].get(key or "", []))

    def _keys(self, policy: Any, with_rules: bool) -> dict[str, list[str]]:
        """Key → names of the rules (or stories) that have it; some begin alike."""
        found: dict[str, list[str]] = defaultdict(list)
        for tracker in self._trackers:
            if tracker.is_rule_tracker == with_rules:
                options = {"omit_unset_slots": True} if with_rules else {}
                with without_progress_bars():
                    states, _ = policy.featurizer.training_states_and_labels([tracker], self._domain, **options)
                for key in map(policy._create_feature_key, states):
                    if key and tracker.sender_id not in found[key]:
                        found[key].append(tracker.sender_id)
        return found


def training_trackers(domain: Any, data: Path = PROJECT_ROOT / "data") -> list[Any]:
    """The rules and stories of data/ as Rasa's trackers, each with its name as `sender_id`."""
    from rasa.shared.core.generator import TrainingDataGenerator
    from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
    from rasa.shared.core.training_data.structures import StoryGraph

    steps = [
        step
        for folder in ("rules", "stories")
        for path in sorted((data / folder).glob("*.yml"))
        for step in YAMLStoryReader(domain, str(path)).read_from_file(path)
    ]
    return list(TrainingDataGenerator(StoryGraph(steps), domain, augmentation_factor=0).generate())


def named_places(data: Path = PROJECT_ROOT / "data") -> dict[str, str]:
    """Name → file:line of every rule and story of data/."""
    found: dict[str, str] = {}
    for folder, kind in (("stories", "story"), ("rules", "rule")):
        for path in sorted((data / folder).glob("*.yml")):
            found |= yaml_lines.places(path, folder, kind)
    return found
