"""Rasa's door to the intent model: trains it from `data/nlu/`, stores it in the archive, puts intents on messages."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

import settings
from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.intents.message_parts import reconsider
from components.text.classifier import Classifier, ClassifierOptions, Example, Prediction

log = logging.getLogger(__name__)
_FILE = "intent_model.npz"
_COMPONENTS = Path(__file__).parents[1]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Intent by n-grams, and by sentence embeddings where those are unsure.

    Options: the fields of `ClassifierOptions` (an empty `order_number_pattern` is the environment's);
    `cache`, the file of embeddings (empty: under STATE_DIR); `ranking`, how many intents to show.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {**vars(ClassifierOptions()), "order_number_pattern": "", "cache": "", "ranking": 10}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Everything a model is made with: Rasa looks at this class alone before it takes one from its cache."""
        made_with = [*_COMPONENTS.rglob("*.py"), *_COMPONENTS.rglob("*.txt")]
        digest = hashlib.sha256(str(settings.load().order_number_pattern).encode())
        for path in sorted(made_with):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Classifier | None = None
    ) -> None:
        self._ranking = int(config["ranking"])
        environment = settings.load()
        options = {name: config[name] for name in vars(ClassifierOptions())}
        options["order_number_pattern"] = options["order_number_pattern"] or environment.order_number_pattern
        self._options = ClassifierOptions(**options)
        self._storage, self._resource, self._model = model_storage, resource, model
        cache = Path(config["cache"]) if config["cache"] else environment.state_path / "cache" / "embeddings.npz"
        self._embeddings = SentenceEmbeddings(cache)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, Classifier.load(folder / _FILE))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example with an intent and a text, and store the model."""
        examples = [message for message in training_data.intent_examples if message.get(TEXT)]
        self._model = Classifier.fit(
            [Example(message.get(TEXT), message.get(INTENT)) for message in examples],
            self._embeddings,
            self._options,
        )
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder / _FILE)
        log.info("nlu.intent.trained examples=%d", len(examples))
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent` and `intent_ranking` on each message that has text."""
        for message in messages:
            text = message.get(TEXT)
            if text and self._model:
                whole = self._model.predict(text, self._embeddings)
                self._answer(message, reconsider(text, whole, self._model.glance))
        return messages

    def _answer(self, message: Message, prediction: Prediction) -> None:
        ranking = [{"name": name, "confidence": confidence} for name, confidence in prediction.ranking[: self._ranking]]
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
