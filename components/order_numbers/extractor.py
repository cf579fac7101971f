"""Rasa's door to the order numbers of a message: entities `order_number` and `order_number_misshaped`.

The first is as the shop writes it, whatever the customer wrote. The second is what is meant as an order number and
has another shape than the shop's, as it is written.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from components.order_numbers.finding import find_misshaped, find_order_numbers
from components.order_numbers.shops import shop_pattern


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class OrderNumberExtractor(GraphComponent, EntityExtractorMixin):
    """Option `pattern`: regular expression of the shop's order numbers; empty means what shop.yml says."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"pattern": ""}

    def __init__(self, config: dict[str, Any]) -> None:
        self._pattern: str = config["pattern"] or shop_pattern()
        find_order_numbers("0", self._pattern)  # learns now, before a customer waits for it

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
            text = message.get(TEXT) or ""
            entities = [
                {
                    "entity": span.kind,
                    "value": span.value,
                    "start": span.start,
                    "end": span.end,
                    "confidence_entity": 1.0,
                }
                for span in (*find_order_numbers(text, self._pattern), *find_misshaped(text, self._pattern))
            ]
            self.add_extractor_name(entities)
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
        return messages
