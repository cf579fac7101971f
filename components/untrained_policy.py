"""What dialogue policies share that learn nothing and are certain of what they predict."""

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.core.generator import TrackerWithCachedStates


class UntrainedPolicy(Policy):
    """A policy whose settings stand in config.yml or in its code."""

    @staticmethod
    def supported_data() -> SupportedData:
        return SupportedData.ML_AND_RULE_DATA

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Nothing is learnt."""
        return self._resource

    def _abstain(self, domain: Domain, events: list[Event] | None = None) -> PolicyPrediction:
        """No action; `events` happen all the same."""
        return self._prediction(self._default_predictions(domain), events=events)

    def _predict(
        self,
        action: str,
        domain: Domain,
        events: list[Event] | None = None,
        optional_events: list[Event] | None = None,
    ) -> PolicyPrediction:
        """This action, whatever the user's message; `optional_events` happen only if the prediction is chosen."""
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        return self._prediction(
            probabilities, events=events, optional_events=optional_events, is_no_user_prediction=True
        )
