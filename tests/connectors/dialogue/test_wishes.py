"""What a waiting customer's message is taken for: the assistant will do, it is solved, or words for the person."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.dialogue.wishes import MAX_CHARS, asks_for_person, wish_of

MEANS = {
    "bot is fine": ("return_to_bot", 0.9),
    "bot maybe": ("return_to_bot", 0.4),
    "it came now.": ("problem_solved", 0.9),
    "thank you so much!": ("thank", 0.9),
    "no no.": ("deny", 0.9),
    "get me an agent": ("request_human", 0.9),
    "my money back": ("request_refund", 0.9),
    "how long is it?": ("ask_return_policy", 0.97),
    "found it in the box, in the bubble wrap": ("problem_solved", 0.8),
    "in the bubble wrap": ("ask_return_policy", 0.9),
    "hm hm hm": ("nlu_fallback", 0.4),
    "no agent needed, how long is it?": ("return_to_bot", 0.9),
    "no agent needed, hm hm hm": ("return_to_bot", 0.9),
    "it came now, how long is it?": ("problem_solved", 0.9),
    "no agent needed": ("return_to_bot", 0.7),
    "where is it now": ("check_order_status", 0.85),
    "no agent needed, where is it now": ("return_to_bot", 0.5),
    "it came now, where is it now": ("return_to_bot", 0.5),
    "nobody needed, where is it now": ("return_to_bot", 0.4),
    "leave the agent": ("return_to_bot", 0.98),
    "where is it then": ("check_order_status", 0.9),
    "never mind it": ("return_to_bot", 0.98),
    "leave it here": ("return_to_bot", 0.8),
    "oh no thanks": ("deny", 0.97),
    "rather not": ("deny", 0.9),
    "no": ("deny", 0.99),
    "it came torn": ("ask_return_policy", 0.9),
    "leave the agent when does it pay": ("return_to_bot", 0.9),
    "when does it pay": ("ask_return_policy", 0.5),
    "is there a shop": ("out_of_scope", 0.9),
}


class Model:
    """Knows the meaning of a few sentences; of several together, whatever is given."""

    def __init__(self, whole: tuple[str, float] = ("nlu_fallback", 0.4)) -> None:
        self.whole, self.read = whole, 0

    async def __call__(self, text: str) -> dict[str, Any]:
        self.read += 1
        name, confidence = MEANS.get(text, self.whole)
        if text == "when does it pay":
            return {"intent": {"name": name, "confidence": confidence}, "intent_ranking": [
                {"name": name, "confidence": confidence}, {"name": "check_refund_status", "confidence": 0.4}]}
        story = {"name": "file_complaint", "confidence": 0.2 if "torn" in text else 0.1}
        return {"intent": {"name": name, "confidence": confidence}, "intent_ranking": [story]}


@pytest.mark.parametrize(("text", "wish"), [
    ("found it in the box, in the bubble wrap", "settled"),
    ("bot is fine", "assistant"),
    ("bot maybe", None),
    ("it came now.", "settled"),
    ("it came now. thank you so much!", "settled"),
    ("thank you so much! bot is fine", "assistant"),
    ("bot is fine\nhow long is it?", "assistant_and_more"),
    ("bot is fine\nhm hm hm", "assistant_and_more"),
    ("it came now. how long is it?", None),
    ("bot is fine\nget me an agent", None),
    ("no agent needed, how long is it?", "assistant_and_more"),
    ("no agent needed, hm hm hm", "assistant"),
    ("it came now, how long is it?", None),
    ("no agent needed, where is it now", "assistant_and_more"),
    ("it came now, where is it now", None),
    ("nobody needed, where is it now", None),
    ("leave the agent, where is it then", "assistant_and_more"),
    ("leave the agent where is it then", "assistant_and_more"),
    ("where is it then, leave the agent", "assistant_and_more"),
    ("leave it here, where is it then", None),
    ("never mind it, my money back", None),
    ("never mind it my money back", None),
    ("never mind it, thank you so much!", None),
    ("never mind it, hm hm hm", None),
    ("oh no thanks, where is it then", "assistant_and_more"),
    ("oh no thanks where is it then", None),
    ("forget, how long is it?", "assistant_and_more"),
    ("forget how long is it?", "assistant_and_more"),
    ("forget, it came torn", None),
    ("leave the agent when does it pay", "assistant_and_more"),
    ("forget, when does it pay", "assistant_and_more"),
    ("forget, is there a shop", "assistant_and_more"),
    ("oh no thanks, is there a shop", None),
    ("rather not, where is it then", None),
    ("no, where is it then", None),
    ("oh no thanks, my money back", None),
    ("oh no thanks", None),
    ("hm hm hm", None),
    ("", None),
])  # fmt: skip
async def test_every_sentence_is_weighed(text: str, wish: str | None) -> None:
    assert await wish_of(text, Model(), lambda words: words == "forget") == wish


async def test_a_pressed_button_is_not_taken_apart() -> None:
    model = Model(("return_to_bot", 1.0))
    assert await wish_of("/return_to_bot", model) == "assistant"
    assert model.read == 1


async def test_a_long_message_is_for_the_person_and_costs_nothing() -> None:
    model = Model(("return_to_bot", 1.0))
    assert await wish_of("bot is fine " * MAX_CHARS, model) is None
    assert model.read == 0


@pytest.mark.parametrize("answer", [{}, {"intent": None}, {"intent": {"name": None, "confidence": None}}, None])
async def test_a_model_that_is_away_or_silent_wishes_nothing(answer: Any) -> None:
    async def parse(text: str) -> Any:
        return answer

    assert await wish_of("bot is fine", parse) is None


@pytest.mark.parametrize(("text", "asks"), [
    ("get me an agent", True), ("my money back", True), ("bot maybe", False), ("how long is it?", False),
    ("get me an agent " * 40, False),
])  # fmt: skip
async def test_what_a_person_is_called_for_is_told_also_of_whoever_writes_too_much(text: str, asks: bool) -> None:
    assert await asks_for_person(text, Model()) is asks


async def test_a_model_that_fails_calls_nobody() -> None:
    async def broken(text: str) -> dict[str, Any]:
        raise RuntimeError

    assert await asks_for_person("get me an agent", broken) is False


@pytest.mark.parametrize(("text", "wish"), [
    ("dont send me to the bot again", None), ("I don’t want the bot", None), ("bot nahi chahiye mujhe", None),
    ("no me mandes con el bot otra vez", None), ("não quero o robô de novo", None), ("मुझे बॉट नहीं चाहिए", None),
    ("no, give me the bot", "assistant"), ("agent nahi chahiye bot hi chalega", "assistant"),
    ("i do not need any of your agents now, the bot is ok", "assistant"),
    ("no need for a person the bot is fine", "assistant"), ("não precisa de humano volta pro bot", "assistant"),
    ("no necesito a nadie el bot me sirve", "assistant"), ("bot hi chahiye insaan nahi", "assistant"),
])  # fmt: skip
async def test_whoever_refuses_the_assistant_does_not_get_it(text: str, wish: str | None) -> None:
    assert await wish_of(text, Model(("return_to_bot", 0.99))) == wish
