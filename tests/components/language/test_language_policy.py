"""The policy that keeps the language: slots before the first answer of a turn, an action only for a bare wish."""

from __future__ import annotations

from collections.abc import Iterator
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
    Event,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

import shop
import yaml_files
from components.language.answered import WRITTEN, answered
from components.language.detection import detect
from components.language.policy import LanguagePolicy

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = Domain.from_dict(yaml_files.read(ROOT / "domain.yml"))  # Domain.load: the same in a second
LISTEN = ActionExecuted("action_listen")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> LanguagePolicy:
    storage = LocalModelStorage.create(Path(tmp_path_factory.mktemp("model")))
    context = ExecutionContext(GraphSchema({}))
    return LanguagePolicy(LanguagePolicy.get_default_config(), storage, Resource("p"), context)


def says(text: str) -> list[Event]:
    return [LISTEN, UserUttered(text, {"name": "out_of_scope", "confidence": 0.9})]


def predict(policy: LanguagePolicy, *events: Event, domain: Domain = DOMAIN) -> PolicyPrediction:
    tracker = DialogueStateTracker.from_events("c", list(events), slots=domain.slots, domain=domain)
    return policy.predict_action_probabilities(tracker, domain)


def predicted(prediction: PolicyPrediction) -> str | None:
    if prediction.max_confidence == 0:
        return None
    return str(DOMAIN.action_names_or_texts[prediction.max_confidence_index])


def slots(prediction: PolicyPrediction) -> dict[str, Any]:
    """Slots that are set whichever policy wins."""
    return {event.key: event.value for event in prediction.events if isinstance(event, SlotSet)}


def test_language_is_set_for_whichever_policy_answers(policy: LanguagePolicy) -> None:
    prediction = predict(policy, *says("mera order kab aayega"))
    assert slots(prediction) == {"language": "hinglish"}
    assert predicted(prediction) is None


def test_language_that_stays_is_not_set_again(policy: LanguagePolicy) -> None:
    known = SlotSet("language", "hinglish")
    assert slots(predict(policy, known, *says("kahan hai mera parcel"))) == {}
    assert slots(predict(policy, known, *says("10234"))) == {}


def test_pressed_button_says_nothing_of_the_language(policy: LanguagePolicy) -> None:
    assert slots(predict(policy, SlotSet("language", "hinglish"), *says("/check_order_status"))) == {}


@pytest.mark.parametrize(("text", "code"), [("TK/24-00871", "TK/24-00871"), ("tk 24 00871?", "tk 24 00871")])
def test_letters_of_an_order_number_say_nothing_of_the_language(policy: LanguagePolicy, text: str, code: str) -> None:
    entities = [{"entity": "order_number", "value": "TK/24-00871", "start": 0, "end": len(code)}]
    said = UserUttered(text, {"name": "inform_order_number", "confidence": 0.9}, entities)
    assert slots(predict(policy, LISTEN, said)) == {}


def test_message_that_is_said_again_speaks_for_a_language_once(policy: LanguagePolicy) -> None:
    spoken, telling = SlotSet("language", "en"), "status batao"
    twice = predict(policy, spoken, *says(telling), ActionExecuted("action_clarify"), *says(telling))
    assert slots(twice) == {"language": "hinglish"}
    again = predict(policy, spoken, *says(telling), ActionExecuted("x"), UserUtteranceReverted(), *says(telling))
    assert slots(again) == {}


def test_language_is_looked_at_once_a_turn(policy: LanguagePolicy) -> None:
    prediction = predict(policy, *says("mera order kab aayega"), ActionExecuted("action_check_order_status"))
    assert slots(prediction) == {}


def test_bare_wish_is_answered_and_then_it_is_the_customers_turn(policy: LanguagePolicy) -> None:
    turn = [SlotSet("language", "hinglish"), *says("english please")]
    prediction = predict(policy, *turn)
    assert predicted(prediction) == "action_change_language"
    assert prediction.is_no_user_prediction
    assert slots(prediction) == {"language": "en", "language_wished": True}
    assert predicted(predict(policy, *turn, ActionExecuted("action_change_language"))) == "action_listen"


def test_wish_in_a_form_is_answered_and_then_the_form_asks_again(policy: LanguagePolicy) -> None:
    turn = [ActiveLoop("order_change_form"), *says("english please")]
    assert predicted(predict(policy, *turn)) == "action_change_language"
    assert predicted(predict(policy, *turn, ActionExecuted("action_change_language"))) is None, "left to RulePolicy"


def test_language_that_nobody_wrote_answers_in_is_declined_in_the_one_spoken(policy: LanguagePolicy) -> None:
    turn = [SlotSet("language", "hinglish"), *says("can you talk in tamil please")]
    prediction = predict(policy, *turn)
    assert predicted(prediction) == "utter_language_unavailable"
    assert slots(prediction) == {"languages_spoken": "English, Hinglish, हिन्दी, português, español"}
    assert predicted(predict(policy, *turn, ActionExecuted("utter_language_unavailable"))) == "action_listen"


def test_wish_beside_a_question_leaves_the_answer_to_others(policy: LanguagePolicy) -> None:
    prediction = predict(policy, *says("mera order 10234 kahan hai, reply in english"))
    assert predicted(prediction) is None
    assert slots(prediction) == {"language": "en", "language_wished": True}


def test_language_not_answered_in_is_told_so_in_it_below_a_call_for_a_person(policy: LanguagePolicy) -> None:
    prediction = predict(policy, *says("wo ist meine bestellung"))
    assert predicted(prediction) == "utter_language_unavailable"
    assert slots(prediction) == {"language": "de", "languages_spoken": "English, Hinglish, हिन्दी, português, español"}
    assert 6 < prediction.policy_priority < 7, "below EscalationPolicy, above RulePolicy"
    assert predicted(predict(policy, SlotSet("language", "de"), *says("10234"))) is None, "a number is answered"


def test_a_shop_may_choose_among_the_languages_that_are_written() -> None:
    assert tuple(WRITTEN) == shop.LANGUAGES


@pytest.fixture
def spoken(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return getattr(request, "param", ("pt",))


@pytest.fixture
def shop_of(spoken: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A shop that answers in `spoken`, in Portuguese unless a test says otherwise."""
    monkeypatch.setattr(shop, "load", lambda: shop.Shop("Loja", languages=spoken))
    for cached in (answered, detect):
        cached.cache_clear()
    yield
    for cached in (answered, detect):
        cached.cache_clear()


@pytest.mark.usefixtures("shop_of")
@pytest.mark.parametrize(("text", "language", "said"), [
    ("👍", "pt", None),
    ("cadê meu pedido", "pt", None),
    ("where is my order", "en", "utter_language_unavailable"),
    ("mera order kahan hai", "hinglish", "utter_language_unavailable"),
    ("english please", "pt", "utter_language_unavailable"),
    ("em português por favor", "pt", "action_change_language"),
])
def test_a_shop_speaks_the_languages_of_its_shop_yml(
    policy: LanguagePolicy, text: str, language: str, said: str | None
) -> None:
    prediction = predict(policy, *says(text))
    assert (slots(prediction).get("language"), predicted(prediction)) == (language, said)
    if said == "utter_language_unavailable":
        assert slots(prediction)["languages_spoken"] == "português"


def test_who_asked_for_a_language_keeps_it_whatever_they_write(policy: LanguagePolicy) -> None:
    wished = [SlotSet("language", "en"), SlotSet("language_wished", True)]
    prediction = predict(policy, *wished, *says("wo ist meine bestellung"))
    assert (predicted(prediction), slots(prediction)) == (None, {})


def test_two_hints_in_a_row_change_the_language_within_a_session(policy: LanguagePolicy) -> None:
    hinglish = SlotSet("language", "hinglish")
    assert slots(predict(policy, hinglish, *says("when?"))) == {}
    assert slots(predict(policy, *says("when?"), hinglish, *says("not received"))) == {"language": "en"}
    begins = [ActionExecuted("action_session_start"), SessionStarted()]
    assert slots(predict(policy, *says("when?"), *begins, hinglish, *says("not received"))) == {}


@pytest.mark.parametrize("wished", [False, True])
def test_new_session_goes_on_in_the_language_of_the_last(policy: LanguagePolicy, wished: bool) -> None:
    """Its slots are gone with the session; the events are still there in its first turn."""
    before = [*says("x"), SlotSet("language", "hinglish"), *([SlotSet("language_wished", True)] if wished else [])]
    begins = [ActionExecuted("action_session_start"), SessionStarted()]
    now = slots(predict(policy, *before, *begins, *says("ok")))
    assert now == {"language": "hinglish", **({"language_wished": True} if wished else {})}


@pytest.mark.usefixtures("shop_of")
@pytest.mark.parametrize(("spoken", "text", "language"), [
    (("en", "hinglish", "hi"), "मेरा ऑर्डर कहाँ है", "hi"),
    (("en", "hinglish", "hi"), "mera order kahan hai", "hinglish"),
    (("en", "hinglish"), "मेरा ऑर्डर कहाँ है", "hinglish"),
    (("en", "hinglish"), "हिंदी में बात करो", "hinglish"),
    (("en", "hi"), "mera order kahan hai", "hi"),
    (("en",), "मेरा ऑर्डर कहाँ है", "hi"),
], indirect=["spoken"])  # fmt: skip
def test_hindi_is_answered_in_a_script_that_the_shop_writes_the_customers_own_first(
    policy: LanguagePolicy, spoken: tuple[str, ...], text: str, language: str
) -> None:
    prediction = predict(policy, *says(text))
    assert slots(prediction)["language"] == language
    assert (predicted(prediction) == "utter_language_unavailable") is (language not in spoken)


def test_a_language_that_is_not_answered_in_ends_with_the_messages_in_it(
    policy: LanguagePolicy, shop_of: None
) -> None:
    told = SlotSet("language", "de")
    assert slots(predict(policy, told, *says("10234"))) == {"language": "pt"}
    again = predict(policy, told, *says("ich möchte einen Menschen"))
    assert "language" not in slots(again), "few words in it are enough to go on in it: a person can be called"
    pressed = predict(policy, told, LISTEN, UserUttered("/request_human", {"name": "request_human", "confidence": 1.0}))
    assert "language" not in slots(pressed)
