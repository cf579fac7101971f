"""What the customer wants, when a message says several things."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components.intents.message_parts import answer_beside, asked_beside, asked_with_thanks, reconsider, sentences
from components.text.classifier import Prediction


def prediction(label: str, confidence: float) -> Prediction:
    return Prediction(((label, confidence), ("out_of_scope_rest", 1 - confidence)), embedded=True)


def reader(answers: dict[str, str]) -> Callable[[str], Prediction]:
    """Reads a sentence by the first of `answers` whose key is in it; anything else is small talk."""
    return lambda text: next(
        (prediction(label, 0.95) for key, label in answers.items() if key in text), prediction("greet", 0.9)
    )


def test_sentences_end_at_marks_and_lines_but_not_inside_numbers() -> None:
    assert sentences("Hi there! It cost 12.50 rupees. where is it\nplease check") == [
        "Hi there!",
        "It cost 12.50 rupees.",
        "where is it",
        "please check",
    ]


def test_sentences_of_hindi_end_at_its_own_mark() -> None:
    assert sentences("नमस्ते जी। मेरा ऑर्डर नहीं आया।कब आएगा?") == ["नमस्ते जी।", "मेरा ऑर्डर नहीं आया।", "कब आएगा?"]


def test_a_greeting_before_a_question_is_not_the_message() -> None:
    whole = prediction("greet", 0.9)
    read = reader({"parcel": "check_order_status"})
    assert reconsider("Good morning team! Where is my parcel?", whole, read).label == "check_order_status"


def test_the_last_question_wins() -> None:
    read = reader({"parcel": "check_order_status", "return": "ask_return_policy"})
    answer = reconsider("Where is my parcel? And how do I return it?", prediction("check_order_status", 0.5), read)
    assert answer.label == "ask_return_policy"


def test_an_outburst_after_a_question_leaves_the_question_standing() -> None:
    read = reader({"parcel": "check_order_status", "worst": "file_complaint"})
    answer = reconsider("Where is my parcel? You are the worst shop.", prediction("file_complaint", 0.6), read)
    assert answer.label == "check_order_status"


def test_a_sure_reading_of_the_whole_is_left_alone() -> None:
    whole = prediction("cancel_order", 0.9)
    assert reconsider("Where is my parcel? Cancel it now.", whole, reader({"parcel": "check_order_status"})) is whole


@pytest.mark.parametrize(("text", "answer"), [
    ("leave it, do you have a shop in pune", "deny"), ("yes do it and when does the money come", "affirm"),
    ("when does the money come? yes do it", "affirm"), ("when does the money come, yes?", None),
    ("do you have a shop in pune", None), ("leave it", None),
])  # fmt: skip
def test_a_yes_or_no_beside_a_question_is_seen_at_either_end(text: str, answer: str | None) -> None:
    means = {"leave it": "deny", "yes": "affirm", "money": "ask_return_policy", "shop": "out_of_scope"}
    found = answer_beside(text, reader(means))
    assert (found and found[0]) == answer
    assert not found or found[1] is not None


@pytest.mark.parametrize(("text", "asked"), [
    ("no agent needed, when does it come", "ask_delivery_date"), ("actually cancel that, i want the bot again", None),
    ("when does it come", None),
])  # fmt: skip
def test_a_question_beside_the_way_back_is_what_the_assistant_is_wanted_for(text: str, asked: str | None) -> None:
    read = reader({"cancel": "cancel_order", "agent": "return_to_bot", "come": "ask_delivery_date"})
    found = asked_beside(text, read, {"order": frozenset({"ask_delivery_date"})})
    assert (found.label if found else None) == asked


@pytest.mark.parametrize(("text", "share", "asked"), [
    ("ok thanks, and how do i get the bill", 0.3, "ask_return_policy"),
    ("thanks but how do i get the bill", 0.3, "ask_return_policy"),
    ("thanks, how do i get the bill?", 0.0, "ask_return_policy"),
    ("thanks, i will keep the bill", 0.0, None),  # all kinds of things sound like a question for the pages
    ("ok thanks aur kaun la raha hai", 0.0, "ask_courier"), ("thanks, and have a nice day", 0.3, None),
    ("how do i get the bill, ok thanks", 0.3, None), ("thanks a lot", 0.3, None),
])  # fmt: skip
def test_what_is_asked_behind_a_thank_you_is_the_message(text: str, share: float, asked: str | None) -> None:
    read = reader({"bill": "ask_return_policy", "kaun": "ask_courier", "nice day": "goodbye", "thanks": "thank"})
    whole = Prediction((("thank", 0.7), ("ask_return_policy", share)), embedded=True)
    found = asked_with_thanks(text, whole, read)
    assert (found.label if found else None) == asked


def test_confidences_stay_a_distribution() -> None:
    read = reader({"parcel": "check_order_status"})
    ranking = reconsider("Hello my friend! Where is my parcel?", prediction("greet", 0.7), read).ranking
    assert abs(sum(confidence for _, confidence in ranking) - 1) < 1e-9
