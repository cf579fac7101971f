"""What the customer hears about returns, and what the log learns of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.fallback import ActionClarify
from actions.knowledge.answers.answering import GroundedAnswer, NotCovered, Outcome, Overview
from actions.knowledge.pages.documents import KnowledgeError, Section
from actions.knowledge.retrieval.retriever import Earlier
from actions.llm.client import Usage
from actions.refund_status import ActionCheckRefundStatus
from actions.return_policy import ActionAnswerComplaint, ActionAnswerReturnPolicy, ActionSayIfSure
from tests.actions.order_answers import ASHA, ashas, order

SECTION = Section("return_window", "Return window", "Days", "You have 30 days.", ("You have 30 days.",))
ANSWER = GroundedAnswer(
    "You have 30 days.", SECTION, ("return_window",), "supported", "anthropic", "claude", Usage(100, 20), 900,
    sought=(("return_window#Days", 0.8),),
)


class Answers:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, outcome: Outcome | Exception) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, Earlier | None]] = []
        self.told: list[str] = []

    async def answer(self, question: str, earlier: Earlier | None = None, told: Sequence[str] = ()) -> Outcome:
        self.asked.append((question, earlier))
        self.told += told
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def say(
    outcome: Outcome | Exception,
    text: str = "how many days?",
    slots: dict[str, Any] | None = None,
    said: dict[str, Any] | None = None,
    after: str = "",
    alone: str | None = None,
    **metadata: str,
) -> tuple[dict[str, Any], list[dict[str, Any]], Answers]:
    """The one message said, the events, and what was asked."""
    answers = Answers(outcome)
    before = [{"event": "bot", **said}] if said else []
    message = {"text": text, "metadata": metadata, "after": after, "alone": alone}
    tracker = Tracker("c", slots or {}, message, before, False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    events = await ActionAnswerReturnPolicy(answers).run(dispatcher, tracker, {})  # type: ignore[arg-type]
    (message,) = dispatcher.messages
    return message, events, answers


@pytest.mark.parametrize(("intent", "verdict", "score", "response"), [
    ("nlu_fallback", "extractive", 0.7, "utter_clarification_first"),
    ("nlu_fallback", "extractive", 0.8, "utter_return_policy_answer"),
    ("nlu_fallback", "supported", 0.2, "utter_return_policy_answer"),
    ("out_of_scope", "extractive", 0.55, "utter_return_policy_answer"),
])
async def test_what_meant_nothing_is_answered_from_the_pages_only_where_they_surely_answer(
    intent: str, verdict: str, score: float, response: str
) -> None:
    answers = Answers(replace(ANSWER, verdict=verdict, score=score))
    message = {"text": "this is not what the mail said", "intent": {"name": intent}, "entities": []}
    tracker = Tracker("c", {}, message, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    await ActionClarify(answers).run(dispatcher, tracker, {})  # type: ignore[arg-type]
    assert [message["response"] for message in dispatcher.messages] == [response]


async def test_an_answer_names_its_page_and_tells_the_log_how_it_came_about() -> None:
    message, events, answers = await say(ANSWER)
    assert message["response"] == "utter_return_policy_answer"
    assert message["answer"] == "You have 30 days."
    assert message["source"] == "Return window"
    assert message["policy_pages"] == ["return_window"]
    assert message["llm"] == {
        "provider": "anthropic", "model": "claude", "verdict": "supported", "latency_ms": 900,
        "input_tokens": 100, "output_tokens": 20,
    }
    assert [(event["name"], event["value"]) for event in events] == [
        ("policy_question", "how many days?"), ("policy_sought", [["return_window#Days", 0.8]]),
    ]  # fmt: skip
    assert answers.asked == [("how many days?", None)]


async def test_what_is_not_covered_is_said_and_a_person_offered() -> None:
    message, events, _ = await say(NotCovered(0.1))
    assert message["response"] == "utter_return_policy_not_covered"
    assert message["llm"]["verdict"] == "not_covered"
    assert [event["value"] for event in events] == ["how many days?", []]


async def test_what_is_not_covered_is_said_in_other_words_the_second_time() -> None:
    said = {"text": "…", "metadata": {"utter_action": "utter_return_policy_not_covered"}}
    message, _, _ = await say(NotCovered(0.1), said=said)
    assert message["response"] == "utter_return_policy_not_covered_again"


async def test_what_may_be_the_answer_is_shown_as_no_more_than_that() -> None:
    message, events, _ = await say(NotCovered(0.4, nearest=ANSWER))
    assert message["response"] == "utter_return_policy_not_covered_nearest"
    assert (message["answer"], message["source"]) == ("You have 30 days.", "Return window")
    assert [event["value"] for event in events] == ["how many days?", []]


async def test_the_words_told_a_moment_ago_are_not_told_again_without_the_offer_of_a_person() -> None:
    said = {"text": "You have 30 days.\n\n_From our page_", "metadata": {"policy_sections": ["return_window#Days"]}}
    message, _, answers = await say(ANSWER, said=said)
    assert message["response"] == "utter_return_policy_same"
    assert answers.told == ["return_window#Days"]


@pytest.mark.parametrize(("after", "response", "text", "goes_on"), [
    ("order", "utter_order_status_delayed", "and if it doesn't?", "my parcel is late"),
    ("order", "utter_order_status_shipped", "and if it doesn't?", "my parcel has not come yet"),
    ("order", "utter_order_status_shipped", "how many days do i have to return a kurta", None),
    ("offer", "utter_handoff_offer", "how long does it take when you ask the courier", "my parcel is marked"),
])
async def test_a_few_words_that_nothing_answers_alone_go_on_from_the_order_told_of(
    after: str, response: str, text: str, goes_on: str | None
) -> None:
    said = {"text": "…", "metadata": {"utter_action": response}}
    _, _, answers = await say(NotCovered(0.1), text, said=said, after=after)
    _, earlier = answers.asked[-1]
    assert (earlier is None) if goes_on is None else (earlier and earlier.question.startswith(goes_on))


@pytest.mark.parametrize(("outcome", "alone", "about", "answered_from"), [
    (NotCovered(0.1), "ask_delivery_date", "10234", "orders"), (ANSWER, "ask_delivery_date", "10234", "pages"),
    (NotCovered(0.1), "ask_delivery_date", None, "pages"), (NotCovered(0.1), "cancel_order", "10234", "pages"),
    (NotCovered(0.1), None, "10234", "pages"),
])  # fmt: skip
async def test_what_no_page_answers_and_alone_is_asked_of_an_order_is_told_of_the_order_talked_about(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, alone: str | None, about: str | None, answered_from: str
) -> None:
    async def tells(self: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[Any]:
        dispatcher.utter_message(response="utter_order_status_delivery_date")
        return []

    monkeypatch.setattr("actions.order_details.ActionDeliveryDate.answer", tells)
    slots = {"order_number": about}
    message, _, _ = await say(outcome, "is it today?", slots=slots, after="policy", alone=alone)
    assert message["response"].startswith("utter_order_status_") == (answered_from == "orders")


async def test_can_i_return_it_behind_an_order_is_answered_as_if_it_stood_alone() -> None:
    said = {"text": "…", "metadata": {"utter_action": "utter_order_status_shipped"}}
    _, _, answers = await say(ANSWER, "can i return it", said=said, after="order")
    assert answers.asked == [("can i return it", None)]


@pytest.mark.parametrize(("outcome", "response"), [
    (ANSWER, "utter_return_policy_complaint"), (NotCovered(0.4, nearest=ANSWER), "utter_handoff_offer"),
    (KnowledgeError("broken"), "utter_handoff_offer"),
])  # fmt: skip
async def test_a_calm_complaint_is_answered_from_the_pages_where_they_speak_of_it_and_offered_a_person(
    outcome: Outcome | Exception, response: str
) -> None:
    tracker = Tracker("c", {}, {"text": "the zip broke"}, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    await ActionAnswerComplaint(Answers(outcome)).run(dispatcher, tracker, {})  # type: ignore[arg-type]
    assert [message["response"] for message in dispatcher.messages] == [response]


async def test_whoever_doubts_an_answer_hears_that_it_stands_on_the_page_and_then_is_offered_a_person() -> None:
    doubted: list[str] = []
    for before in ("utter_return_policy_answer", "utter_return_policy_sure"):
        metadata = {"utter_action": before, "policy_pages": ["return_window"], "policy_sections": [SECTION.key]}
        events = [{"event": "bot", "text": "You have 30 days.", "metadata": metadata}]
        dispatcher = CollectingDispatcher()
        tracker = Tracker("c", {}, {"text": "sure?"}, events, False, None, {}, "action_listen")
        await ActionSayIfSure().run(dispatcher, tracker, {})
        doubted += [message["response"] for message in dispatcher.messages]
        assert dispatcher.messages[0]["policy_sections"] == [SECTION.key]
    assert doubted == ["utter_return_policy_sure", "utter_handoff_offer_still"]


async def test_the_topic_alone_gets_the_overview_and_forgets_the_last_question() -> None:
    message, events, _ = await say(Overview("You have 30 days.", SECTION, ("return_window",)))
    assert message["response"] == "utter_return_policy_overview"
    assert message["answer"] == "You have 30 days."
    assert [event["value"] for event in events] == [None, None]


async def test_pages_that_cannot_be_read_are_admitted() -> None:
    message, _, _ = await say(KnowledgeError("return_window.md: broken"))
    assert message["response"] == "utter_return_policy_unavailable"


async def test_even_a_bug_leaves_nobody_without_an_answer() -> None:
    message, _, _ = await say(ZeroDivisionError("oops"))
    assert message["response"] == "utter_fallback_apology"


@pytest.mark.parametrize(("text", "metadata", "asked"), [
    ("can I return shoes", {}, "can I return shoes"),
    ("/ask_return_policy", {"typed": "How do refunds work?"}, "How do refunds work?"),
    ("/ask_return_policy", {}, "return policy"),
])
async def test_behind_a_button_stands_its_title(text: str, metadata: dict[str, str], asked: str) -> None:
    _, _, answers = await say(ANSWER, text, **metadata)
    assert answers.asked[0][0] == asked


async def test_a_topic_button_without_its_title_asks_for_its_topic() -> None:
    answers = Answers(ANSWER)
    message = {
        "text": '/ask_return_policy{"policy_topic": "refund_methods"}',
        "entities": [{"entity": "policy_topic", "value": "refund_methods"}],
    }
    tracker = Tracker("c", {}, message, [], False, None, {}, "action_listen")
    await ActionAnswerReturnPolicy(answers).run(CollectingDispatcher(), tracker, {})  # type: ignore[arg-type]
    assert answers.asked == [("how do refunds work", None)]


async def test_the_question_before_goes_along() -> None:
    slots = {"policy_question": "how many days?", "policy_sought": [["return_window#Days", 0.8]]}
    _, _, answers = await say(ANSWER, "and shoes?", slots)
    assert answers.asked == [("and shoes?", Earlier("how many days?", (("return_window#Days", 0.8),)))]


@pytest.mark.parametrize(("turns_ago", "goes_back"), [(1, True), (2, True), (9, False)])
async def test_what_nothing_answers_after_an_order_goes_back_to_the_question_before_it(
    turns_ago: int, goes_back: bool
) -> None:
    answers = Answers(NotCovered(0.1))
    question, order_turn = {"event": "user", "text": "?"}, {"utter_action": "utter_order_status_shipped"}
    asked = [question, {"event": "bot", "metadata": {"utter_action": "utter_return_policy_answer"}}]
    since = [question, {"event": "bot", "metadata": order_turn}] * turns_ago
    said = {"text": "ok back to the blender, is it mended or do i get a new one", "after": "order"}
    slots = {"policy_question": "my blender broke", "policy_sought": None}
    tracker = Tracker("c", slots, said, [*asked, *since, {"event": "user", **said}], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    await ActionAnswerReturnPolicy(answers).run(dispatcher, tracker, {})  # type: ignore[arg-type]
    assert [earlier for _, earlier in answers.asked] == [None, Earlier("my blender broke")][: 1 + goes_back]


async def test_a_question_of_before_an_upgrade_goes_along_without_its_passages() -> None:
    _, _, answers = await say(ANSWER, "and shoes?", {"policy_question": "how many days?"})
    assert answers.asked == [("and shoes?", Earlier("how many days?"))]


async def test_a_very_long_question_is_remembered_short() -> None:
    _, events, _ = await say(ANSWER, "x" * 5000)
    assert len(events[0]["value"]) == 300


@pytest.mark.parametrize(
    ("after", "outcome", "response"),
    [
        ("refund", ANSWER, "utter_return_policy_answer"),
        ("refund", NotCovered(0.1), "utter_order_status_returned"),
        ("refund", KnowledgeError("no page"), "utter_order_status_returned"),
        ("none", ANSWER, "utter_order_status_returned"),
    ],
)
async def test_a_refund_asked_about_again_is_answered_from_the_pages_where_they_know(
    after: str, outcome: Outcome | Exception, response: str
) -> None:
    latest = {"text": "to which account?", "after": after, "metadata": {"phone": ASHA}}
    tracker = Tracker("c", {}, latest, [], False, None, {}, "action_listen")
    dispatcher = CollectingDispatcher()
    refund = ActionCheckRefundStatus(ashas(order("10205", "returned")), knowledge=Answers(outcome))  # type: ignore[arg-type]
    await refund.run(dispatcher, tracker, {"responses": {}})
    assert [message["response"] for message in dispatcher.messages] == [response]
