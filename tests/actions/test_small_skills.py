"""Clarification, a bare yes, contact cards, and the way back to a look-up."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.confirmation import ActionAffirm
from actions.contact import ActionReceiveContact
from actions.fallback import ActionClarify
from actions.resume import ActionResumeOrderLookUp

YES_OR_NO = [{"title": "Talk to a person", "payload": "/request_human"}, {"title": "No", "payload": "/deny"}]
USER = {"event": "user", "text": "?"}


def bot(response: str, buttons: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {"event": "bot", "metadata": {"utter_action": response}, "data": {"buttons": buttons or []}}


def tracker(*events: dict[str, Any], intent: str = "nlu_fallback", phone: str | None = None) -> Tracker:
    message = {"intent": {"name": intent}, "metadata": {"phone": phone}, "entities": []}
    return Tracker("c", {}, message, list(events), False, None, {}, "action_listen")


async def run(action: Any, at: Tracker) -> tuple[list[str], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, at, {})
    return [message["response"] for message in dispatcher.messages], events


@pytest.mark.parametrize(("intent", "before", "said"), [
    ("nlu_fallback", "utter_greet", "utter_clarification_first"),
    ("nlu_fallback", "utter_clarification_first", "utter_clarification_second"),
    ("out_of_scope", "utter_greet", "utter_clarification_out_of_scope"),
    ("out_of_scope", "utter_clarification_first", "utter_clarification_out_of_scope_again"),
])
async def test_second_misunderstanding_is_worded_differently(intent: str, before: str, said: str) -> None:
    responses, _ = await run(ActionClarify(), tracker(bot(before), USER, intent=intent))
    assert responses == [said]


async def test_misunderstanding_in_an_older_session_does_not_count() -> None:
    new_session = {"event": "action", "name": "action_session_start"}
    responses, _ = await run(ActionClarify(), tracker(bot("utter_clarification_first"), new_session, USER))
    assert responses == ["utter_clarification_first"]


async def test_yes_to_the_offer_of_a_person_calls_one() -> None:
    responses, events = await run(ActionAffirm(), tracker(bot("utter_order_status_not_found", YES_OR_NO), USER))
    assert responses == []
    assert FollowupAction("action_escalate") in events


@pytest.mark.parametrize("buttons", [[], [{"title": "Talk to a person", "payload": "/request_human"}]])
async def test_yes_to_nothing_in_particular_asks_what_is_wanted(buttons: list[dict[str, str]]) -> None:
    """A button that may be pressed is no question that "ok" could answer."""
    responses, events = await run(ActionAffirm(), tracker(bot("utter_order_status_delivered", buttons), USER))
    assert responses == ["utter_affirm_open"]
    assert events == []


async def test_contact_that_was_asked_for_goes_on_with_the_look_up() -> None:
    _, events = await run(
        ActionReceiveContact(), tracker(bot("utter_order_status_share_contact"), USER, phone="+919876543210")
    )
    assert events == [FollowupAction("action_check_order_status")]


@pytest.mark.parametrize(("before", "phone"), [
    ("utter_order_status_share_contact", None), ("utter_greet", "+919876543210"),
])
async def test_somebodys_contact_card_opens_nothing(before: str, phone: str | None) -> None:
    responses, events = await run(ActionReceiveContact(), tracker(bot(before), USER, phone=phone))
    assert responses == ["utter_contact_received"]
    assert events == []


async def test_number_is_asked_for_again_right_after_a_question_in_between() -> None:
    at = tracker(bot("utter_order_status_not_found"), USER, bot("utter_return_policy_answer"))
    assert await run(ActionResumeOrderLookUp(), at) == (["utter_order_status_resume"], [])


async def test_number_is_not_asked_for_again_once_the_customer_moved_on() -> None:
    at = tracker(
        bot("utter_order_status_not_found"), USER, bot("utter_thank_welcome"), USER, bot("utter_return_policy_answer")
    )
    assert await run(ActionResumeOrderLookUp(), at) == ([], [])


async def test_number_is_asked_for_again_only_once() -> None:
    at = tracker(bot("utter_order_status_resume"), USER, bot("utter_return_policy_answer"))
    assert (await run(ActionResumeOrderLookUp(), at))[0] == []
