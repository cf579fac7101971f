"""What the customer wants, when a message says several things."""

from __future__ import annotations

from collections.abc import Callable

from components.intents.message_parts import reconsider, sentences
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


def test_confidences_stay_a_distribution() -> None:
    read = reader({"parcel": "check_order_status"})
    ranking = reconsider("Hello my friend! Where is my parcel?", prediction("greet", 0.7), read).ranking
    assert abs(sum(confidence for _, confidence in ranking) - 1) < 1e-9
