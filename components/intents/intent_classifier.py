"""Rasa's door to the intent model: trains it from `data/nlu/`, stores it in the archive, puts intents on messages."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

import settings
import skills
from components.conversation.context import context_of
from components.conversation.examples import FOLDER, NONE, ROOT, FollowUpDataError, read_follow_ups
from components.conversation.follow_ups import FollowUp, FollowUpModel, a_few, blended, standing_alone
from components.embeddings.sentence_embeddings import SentenceEmbeddings
from components.intents.message_parts import (
    THANK,
    answer_beside,
    asked_beside,
    asked_with_thanks,
    reconsider,
    two_wishes,
)  # fmt: skip
from components.order_numbers.meaning import EXAMPLES
from components.order_numbers.shops import shop_pattern
from components.text.classifier import Classifier, ClassifierOptions, Example, Prediction, in_order
from components.text.message_text import Forms, as_taught
from skills import CHANGE

log = logging.getLogger(__name__)
_FILE, _FOLLOW_UPS_FILE = "intent_model.npz", "follow_ups.npz"
AFTER = "after"  # key of the parse data: what the message follows
READINGS_DIFFER = "readings_differ"  # key of the parse data: alone, the message would mean something else
ALONE = "alone"  # key of the parse data: what a question for the pages would surely mean if nothing came before it
FROM_PAGES = "ask_return_policy"
ANSWER = "answer"  # key of the parse data: what else it says to the question that a change waits with, affirm or deny
WISHES = "wishes"  # key of the parse data: two questions of different topics, in their order
TWO_QUESTIONS = "two_questions"
BACK_WITH_US = frozenset({"return_to_bot", "problem_solved"})
MIN_ANSWER = 0.8  # from here on a message is a yes or no, whatever else stands in it
MIN_ASKED_BESIDE = 0.85  # ... unless it surely asks something as well: "leave it, do you have a shop in Pune"
MOST_SENTENCES = 4  # at the end of a message that are read by themselves in a conversation
_COMPONENTS = Path(__file__).parents[1]


def _own_phrases() -> frozenset[str]:
    """The lines of the phrases that only this shop has; none for the demo shop, which is the project."""
    folder = settings.load().shop_path
    files = (folder / "data" / "nlu").rglob("*.yml") if folder != settings.PROJECT_ROOT else ()
    lines = (line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(line[2:].strip() for line in lines if line.startswith("- ") and "intent:" not in line)


def _within(clause: str, text: str, message: Message) -> list[dict[str, Any]]:
    """The entities of the message that stand in this clause of it."""
    start = text.find(clause)
    found = message.get(ENTITIES) or []
    return [one for one in found if start <= int(one.get("start", -1)) < start + len(clause)]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Intent by n-grams, and by sentence embeddings where those are unsure.

    Options: the fields of `ClassifierOptions`; `cache`, the file of embeddings (empty: under STATE_DIR); `ranking`,
    how many intents to show.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {**vars(ClassifierOptions()), "cache": "", "ranking": 10}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Everything a model is made with: Rasa looks at this class alone before it takes one from its cache.

        The shop counts only where it has phrases of its own: what the project's teach is the same for all.
        """
        follow_ups = (ROOT / FOLDER).rglob("*.yml")
        made_with = [*_COMPONENTS.rglob("*.py"), *_COMPONENTS.rglob("*.txt"), EXAMPLES, *follow_ups]
        digest = hashlib.sha256((shop_pattern() if _own_phrases() else "").encode())
        for path in sorted(made_with):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Classifier | None = None,
        follow_ups: FollowUpModel | None = None,
    ) -> None:
        self._ranking = int(config["ranking"])
        environment = settings.load()
        self._options = ClassifierOptions(**{name: config[name] for name in vars(ClassifierOptions())})
        self._storage, self._resource, self._model = model_storage, resource, model
        self._follow_ups = follow_ups
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
        pattern = shop_pattern()
        with model_storage.read_from(resource) as folder:
            follow_ups = folder / _FOLLOW_UPS_FILE
            return cls(
                config, model_storage, resource, Classifier.load(folder / _FILE, pattern),
                FollowUpModel.load(follow_ups, pattern) if follow_ups.exists() else None,
            )  # fmt: skip

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example with an intent and a text, and store the model."""
        examples = [message for message in training_data.intent_examples if message.get(TEXT)]
        own, pattern = _own_phrases(), shop_pattern()
        texts = [as_taught(m.get(TEXT), pattern) if m.get(TEXT) in own else m.get(TEXT) for m in examples]
        alone = [Example(text, message.get(INTENT)) for text, message in zip(texts, examples, strict=True)]
        self._model = Classifier.fit(alone, self._embeddings, self._options)
        self._follow_ups = self._fit_follow_ups(self._model, in_order(alone))
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder / _FILE)
            if self._follow_ups:
                self._follow_ups.save(folder / _FOLLOW_UPS_FILE)
        log.info("nlu.intent.trained examples=%d", len(examples))
        return self._resource

    def _fit_follow_ups(self, model: Classifier, alone: list[Example]) -> FollowUpModel | None:
        """Learn from the examples that follow something, and from a share of those that stand alone."""
        written, mistakes = read_follow_ups()
        for mistake in mistakes[:1]:
            place = f"{mistake.file.name}:{mistake.line}"
            raise FollowUpDataError(f"{place}: {mistake.problem}. Remedy: {mistake.remedy}.")
        following = [FollowUp(one.text, after, one.intent) for one in written for after in a_few(one.after, one.text)]
        if not following:
            return None
        drawn = standing_alone(alone, {one.intent for one in following})
        examples = [*following, *(FollowUp(alone[place].text, after, alone[place].label) for place, after in drawn)]
        # Both forms of each text, once: reading them is a tenth of training.
        forms = {text: Forms.of(text) for text in dict.fromkeys(example.text for example in examples)}
        opinions = list(model.probabilities([forms[one.text] for one in following], self._embeddings))
        opinions += [model.left_out[place] for place, _ in drawn]
        return FollowUpModel.fit(examples, forms, np.array(opinions), self._embeddings)

    def process(self, messages: list[Message], tracker: DialogueStateTracker | None = None) -> list[Message]:
        """Set `intent` and `intent_ranking` on each message that has text; in a conversation, also what it follows."""
        for message in messages:
            text = message.get(TEXT)
            if text and self._model:
                whole = self._model.predict(text, self._embeddings)
                reading = reconsider(text, whole, self._model.predict_fast)
                if tracker is not None and self._follow_ups is not None:
                    reading = self._in_conversation(message, text, reading, tracker)
                    reading = self._both_wishes(message, text, reading, str(message.get(AFTER)))
                self._answer(message, reading)
        return messages

    def _in_conversation(
        self, message: Message, text: str, alone: Prediction, tracker: DialogueStateTracker
    ) -> Prediction:
        """The likelier of two readings: the message alone, and after what was said before."""
        assert self._follow_ups is not None
        assert self._model is not None
        quoted = (message.get(METADATA) or {}).get("quoted") or {}
        after = context_of(tracker.events, tracker.active_loop_name, time.time(), quoted.get("utter_action"))
        together = self._after(text, alone, after)
        message.set(AFTER, after, add_to_output=True)
        message.set(READINGS_DIFFER, alone.label != next(iter(together)), add_to_output=True)
        reading, model = blended(alone, together), self._model
        if after != NONE and reading.label == FROM_PAGES:
            begins = blended(alone, self._after(text, alone, NONE))  # as if the conversation began with it
            if begins.label != FROM_PAGES and begins.confidence >= MIN_ASKED_BESIDE:
                message.set(ALONE, begins.label, add_to_output=True)

        def read(sentence: str) -> Prediction:
            by_itself = model.predict(sentence, self._embeddings)
            return blended(by_itself, self._after(sentence, by_itself, after))

        if beside := answer_beside(text, read) if after == CHANGE else None:
            message.set(ANSWER, beside[0], add_to_output=True)
        if reading.label not in skills.load().small_talk:
            return reading
        if beside and beside[1] and (reading.confidence < MIN_ANSWER or beside[1].confidence >= MIN_ASKED_BESIDE):
            return beside[1]
        if reading.label in BACK_WITH_US and (asked := asked_beside(text, read, skills.load().wishes)):
            return asked
        if reading.label == THANK and (asked := asked_with_thanks(text, reading, read)):
            return asked
        return reconsider(text, reading, read, MOST_SENTENCES)

    def _after(self, text: str, alone: Prediction, after: str) -> dict[str, float]:
        """The probability of each intent after what was said before, the likeliest first."""
        assert self._follow_ups is not None
        assert self._model is not None
        by_label = dict(alone.ranking)
        opinion = np.array([by_label.get(label, 0.0) for label in self._model.labels])
        return self._follow_ups.predict(text, after, opinion, self._embeddings)

    def _both_wishes(self, message: Message, text: str, reading: Prediction, after: str) -> Prediction:
        """Two questions of different topics in one message are answered one after the other.

        What a clause hardly means alone, it may surely ask after what was said before.
        """
        assert self._model is not None
        topics = skills.load().wishes
        if not any(reading.label in intents for intents in topics.values()):
            return reading  # before its clauses are embedded
        model, asked = self._model, frozenset().union(*topics.values())

        def read(clause: str) -> Prediction:
            alone = model.predict(clause, self._embeddings)
            if alone.label in asked and alone.confidence >= MIN_ASKED_BESIDE:
                return alone
            together = blended(alone, self._after(clause, alone, after))
            return together if together.confidence >= MIN_ASKED_BESIDE else alone

        wishes = two_wishes(text, read, topics)
        if not wishes:
            return reading
        said = [(intent, clause, _within(clause, text, message)) for intent, clause in wishes]
        message.set(WISHES, [dict(zip(("intent", "text", "entities"), one, strict=True)) for one in said], True)
        return Prediction(((TWO_QUESTIONS, 1.0),), reading.embedded)

    def _answer(self, message: Message, prediction: Prediction) -> None:
        ranking = [{"name": name, "confidence": confidence} for name, confidence in prediction.ranking[: self._ranking]]
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
