"""Another language is acknowledged in that language, and the last answer comes again in it."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.change_language import REPEATABLE, ActionChangeLanguage
from actions.skill.action import BaseAction, Domain, Event

ASKED = {"text": "10234 kahan hai", "intent": {"name": "check_order_status"}, "metadata": {"phone": "+910000000000"}}
WISH = {"text": "english please", "intent": {"name": "out_of_scope"}, "metadata": {"phone": "+919876543210"}}


class Recording(BaseAction):
    """Stands in for the look-up, and keeps what it was asked."""

    asked: dict[str, Any] | None = None

    def name(self) -> str:
        return "action_check_order_status"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        self.asked = tracker.latest_message
        dispatcher.utter_message(response="utter_order_status_shipped")
        return [{"event": "slot", "name": "order_number", "value": "10234"}]


def turn(message: dict[str, Any], *actions: str) -> list[dict[str, Any]]:
    return [{"event": "user", "parse_data": message}, *({"event": "action", "name": name} for name in actions)]


async def change(*events: dict[str, Any]) -> tuple[list[str], list[Event], Recording]:
    action, dispatcher = Recording(), CollectingDispatcher()
    tracker = Tracker("c", {"language": "en"}, WISH, list(events), False, None, {}, "action_listen")
    happened = await ActionChangeLanguage((action,)).run(dispatcher, tracker, {})
    return [message["response"] for message in dispatcher.messages], happened, action


async def test_last_answer_comes_again() -> None:
    said, events, look_up = await change(*turn(ASKED, "action_check_order_status"), *turn(WISH))
    assert said == ["utter_language_changed", "utter_order_status_shipped"]
    assert look_up.asked is not None
    assert look_up.asked["text"] == ASKED["text"]
    assert events[0]["value"] == "10234"


async def test_whose_message_it_is_stays_what_this_message_says() -> None:
    """The identity of an old message must not answer a new one."""
    _, _, look_up = await change(*turn(ASKED, "action_check_order_status"), *turn(WISH))
    assert look_up.asked is not None
    assert look_up.asked["metadata"]["phone"] == WISH["metadata"]["phone"]


@pytest.mark.parametrize("before", [
    [],
    turn({"text": "hi"}, "utter_greet"),
    [*turn(ASKED, "action_check_order_status"), {"event": "action", "name": "action_session_start"}],
    [*turn(ASKED, "action_check_order_status"), *turn({"text": "thanks"}, "utter_thank_welcome")],
])
async def test_with_nothing_to_say_again_the_customer_is_asked(before: list[dict[str, Any]]) -> None:
    said, _, _ = await change(*before, *turn(WISH))
    assert said == ["utter_language_changed_ask"]


async def test_in_a_form_the_form_speaks_next() -> None:
    dispatcher = CollectingDispatcher()
    events = turn(ASKED, "action_check_order_status") + turn(WISH)
    tracker = Tracker("c", {}, WISH, events, False, None, {"name": "order_change_form"}, "action_listen")
    assert await ActionChangeLanguage((Recording(),)).run(dispatcher, tracker, {}) == []
    assert [message["response"] for message in dispatcher.messages] == ["utter_language_changed"]


def test_what_can_be_said_again_exists() -> None:
    assert all(kind().name().startswith("action_") for kind in REPEATABLE)
