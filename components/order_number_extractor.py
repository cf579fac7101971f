"""Rasa's door to `components.order_number`: each order number of a message as an entity `order_number`, digits only."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

import settings
from components.order_number import find_order_numbers


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class OrderNumberExtractor(GraphComponent, EntityExtractorMixin):
    """Option `pattern`: regular expression of the bare digits; empty means ORDER_NUMBER_PATTERN of the environment."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"pattern": ""}

    def __init__(self, config: dict[str, Any]) -> None:
        self._pattern: str = config["pattern"] or settings.load().order_number_pattern or r"\d{5}"

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OrderNumberExtractor:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities to each message, beside those that others found."""
        for message in messages:
            entities = [
                {
                    "entity": "order_number",
                    "value": span.value,
                    "start": span.start,
                    "end": span.end,
                    "confidence_entity": 1.0,
                }
                for span in find_order_numbers(message.get(TEXT) or "", self._pattern)
            ]
            self.add_extractor_name(entities)
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
        return messages
