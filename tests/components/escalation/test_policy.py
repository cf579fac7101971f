"""The policy over conversations: when it calls a person, when it keeps silent, and that it can interrupt a form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

import yaml_files
from components.escalation.assessment import TurnContext, assess
from components.escalation.policy import EscalationPolicy
from components.escalation.reasons import Opinion, Reader, Reasons, default_reasons
from components.escalation.settings import CONFIG, POLICY, EscalationConfigError

DOMAIN = Domain.from_dict(
    {
        "intents": ["greet", "nlu_fallback", "out_of_scope", "request_human", "request_refund", "check_order_status"],
        "actions": ["action_clarify", "action_escalate", "action_check_order_status", "order_change_form"],
        "responses": {"utter_greet": [{"text": "Hello"}]},
        "slots": {"requested_slot": {"type": "text", "mappings": [{"type": "custom"}]}},
    }
)


pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    return default_reasons()


def built(folder: Path, reader: Reader) -> EscalationPolicy:
    entry = next(p for p in yaml_files.read(CONFIG)["policies"] if p["name"] == POLICY)
    config = {**EscalationPolicy.get_default_config(), **entry}
    storage = LocalModelStorage.create(folder)
    return EscalationPolicy(config, storage, Resource("p"), ExecutionContext(GraphSchema({})), reader=reader)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory, reasons: Reasons) -> EscalationPolicy:
    return built(Path(tmp_path_factory.mktemp("model")), reasons)


def says(text: str, intent: str = "out_of_scope", confidence: float = 0.9) -> list[Event]:
    return [ActionExecuted("action_listen"), UserUttered(text, {"name": intent, "confidence": confidence})]


def answers(action: str, response: str) -> list[Event]:
    return [ActionExecuted(action), BotUttered("...", metadata={"utter_action": response})]


def not_understood() -> list[Event]:
    return [*says("blah blub", "nlu_fallback"), *answers("action_clarify", "utter_clarification_first")]


def not_found() -> list[Event]:
    answer = answers("action_check_order_status", "utter_order_status_not_found")
    return [*says("where is 10234", "check_order_status"), *answer]


def predict(policy: EscalationPolicy, *events: Any) -> PolicyPrediction:
    tracker = DialogueStateTracker.from_events("c", [event for group in events for event in group], domain=DOMAIN)
    return policy.predict_action_probabilities(tracker, DOMAIN)


def predicted(prediction: PolicyPrediction) -> str | None:
    if prediction.max_confidence == 0:
        return None
    return str(DOMAIN.action_names_or_texts[prediction.max_confidence_index])


def slots(prediction: PolicyPrediction) -> dict[str, Any]:
    return {event.key: event.value for event in prediction.optional_events if isinstance(event, SlotSet)}


def test_refund_request_calls_a_person_with_reason_and_priority(policy: EscalationPolicy) -> None:
    prediction = predict(policy, says("I want my money back", "request_refund"))
    assert predicted(prediction) == "action_escalate"
    found = slots(prediction)
    assert (found["escalation_reason"], found["escalation_priority"]) == ("refund_request", "HIGH")
    assert found["escalation_sheet"][0][0] == "refund request"


@pytest.mark.parametrize("intent", ["request_human", "file_complaint", "thank", "out_of_scope"])
@pytest.mark.parametrize(
    "text",
    ["when will my refund arrive?", "third time I'm writing, does anybody read this", "a lovely lamp", "is it late"],
)
def test_typed_message_is_decided_as_from_the_command_line_whatever_the_intent_model_says(
    policy: EscalationPolicy, reasons: Reasons, text: str, intent: str
) -> None:
    expected = assess(TurnContext(text), reasons)
    prediction = predict(policy, says(text, intent, 0.99))
    assert (predicted(prediction) == "action_escalate") == expected.escalate
    assert slots(prediction).get("escalation_reason") == expected.reason


def test_mistake_in_the_settings_is_named_before_anything_is_trained() -> None:
    entry = next(p for p in yaml_files.read(CONFIG)["policies"] if p["name"] == POLICY)
    assert EscalationPolicy.fingerprint_addon(entry)
    assert EscalationPolicy.fingerprint_addon({"output": "what Rasa kept of it"})
    with pytest.raises(EscalationConfigError, match=r"config\.yml.*unresolved_turns.*Remedy"):
        EscalationPolicy.fingerprint_addon({**entry, "unresolved_turns": "three"})


def test_prediction_overrules_an_active_form(policy: EscalationPolicy) -> None:
    form = [*says("cancel my order"), ActionExecuted("order_change_form"), ActiveLoop("order_change_form")]
    prediction = predict(policy, form, says("this is a scam, I am going to the consumer court", "nlu_fallback"))
    assert predicted(prediction) == "action_escalate"
    assert prediction.is_no_user_prediction
    assert slots(prediction)["escalation_priority"] == "CRITICAL"


def test_refund_named_in_answer_to_refund_or_exchange_is_the_answer(policy: EscalationPolicy) -> None:
    form = [*says("send it back"), ActionExecuted("order_change_form"), ActiveLoop("order_change_form")]
    for asked, decided in (("change_wish", None), ("change_reason", "action_escalate")):
        waits = [*form, SlotSet("requested_slot", asked)]
        assert predicted(predict(policy, waits, says("money back", "request_refund"))) == decided
    angry = says("this is a scam, I am going to the consumer court", "nlu_fallback")
    assert predicted(predict(policy, [*form, SlotSet("requested_slot", "change_wish")], angry)) == "action_escalate"


def test_silence_follows_the_handover(policy: EscalationPolicy) -> None:
    answer = answers("action_escalate", "utter_handoff_connecting")
    prediction = predict(policy, says("agent please", "request_human"), answer)
    assert predicted(prediction) == "action_listen"
    assert prediction.is_no_user_prediction


def test_pressed_button_needs_no_words(policy: EscalationPolicy) -> None:
    prediction = predict(policy, says("/request_human", "request_human", 1.0))
    assert slots(prediction)["escalation_reason"] == "human_requested"
    prediction = predict(policy, says("/request_refund", "request_refund", 1.0))
    assert slots(prediction)["escalation_reason"] == "refund_request"


def test_harmless_message_is_left_to_the_other_policies(policy: EscalationPolicy) -> None:
    prediction = predict(policy, says("hi there", "greet"))
    assert predicted(prediction) is None
    assert not prediction.is_no_user_prediction
    assert predicted(predict(policy, [SessionStarted()])) is None


def test_third_turn_that_is_not_understood_calls_a_person_instead_of_asking_again(policy: EscalationPolicy) -> None:
    assert predicted(predict(policy, says("blah", "nlu_fallback"))) is None
    assert predicted(predict(policy, not_understood(), says("blah", "nlu_fallback"))) is None
    prediction = predict(policy, not_understood(), not_understood(), says("sing a song", "out_of_scope"))
    assert predicted(prediction) == "action_escalate"
    assert slots(prediction)["escalation_reason"] == "repeated_failure"
    assert slots(prediction)["escalation_priority"] == "MEDIUM"


def test_wrong_numbers_alone_call_nobody_and_do_not_end_a_row_of_failures(policy: EscalationPolicy) -> None:
    assert predicted(predict(policy, not_found(), not_found(), not_found())) is None
    assert predicted(predict(policy, not_understood(), not_understood(), not_found())) is None
    prediction = predict(policy, not_understood(), not_found(), says("blah", "nlu_fallback"))
    assert slots(prediction)["escalation_reason"] == "repeated_failure"


def test_a_turn_that_helped_begins_the_count_anew(policy: EscalationPolicy) -> None:
    helped = [*says("hi", "greet"), *answers("utter_greet", "utter_greet")]
    again = says("blah", "nlu_fallback")
    assert predicted(predict(policy, not_understood(), not_understood(), helped, not_understood(), again)) is None


def test_failures_of_an_earlier_session_do_not_count(policy: EscalationPolicy) -> None:
    fresh = [ActionExecuted("action_session_start"), SessionStarted()]
    again = says("blah", "nlu_fallback")
    assert predicted(predict(policy, not_understood(), not_understood(), fresh, again)) is None


def test_new_need_after_a_handover_calls_a_person_again(policy: EscalationPolicy) -> None:
    over = [*says("agent", "request_human"), *answers("action_escalate", "utter_handoff_connecting")]
    assert predicted(predict(policy, over, says("thanks", "greet"))) is None
    assert predicted(predict(policy, over, says("I want a refund", "request_refund"))) == "action_escalate"


class Displeased:
    """Finds every message a little displeased."""

    def read(self, text: str) -> Opinion:
        return Opinion({"frustration": 0.2, "none": 0.8})

    def nearest(self, text: str) -> list[tuple[str, str]]:
        return []


def test_displeasure_after_news_of_a_delay_calls_a_person(tmp_path: Path) -> None:
    policy = built(tmp_path, Displeased())
    delayed = answers("action_check_order_status", "utter_order_status_delayed")
    late = [*says("/check_order_status", "check_order_status"), *delayed]
    assert predicted(predict(policy, says("not good", "nlu_fallback"))) is None
    prediction = predict(policy, late, says("not good", "nlu_fallback"))
    assert slots(prediction)["escalation_reason"] == "frustration"


def test_message_that_comes_again_with_its_meaning_settled_counts_once(policy: EscalationPolicy) -> None:
    again = [
        *says("kya scene hai", "nlu_fallback"),
        ActionExecuted("action_clarify"),
        UserUtteranceReverted(),
        *says("kya scene hai", "out_of_scope"),
    ]
    assert predicted(predict(policy, not_understood(), again)) is None
    prediction = predict(policy, not_understood(), not_understood(), again)
    assert slots(prediction)["escalation_reason"] == "repeated_failure"
