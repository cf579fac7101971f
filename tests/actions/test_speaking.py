"""An action that goes wrong still speaks, and its log says where it went wrong without what was said."""

from __future__ import annotations

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from actions.skill.action import BaseAction, Domain, Event, intent_name, message_metadata
from privacy import log_lines


class Raising(BaseAction):
    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error or ValueError("my phone is +919876543210")

    def name(self) -> str:
        return "action_for_this_test"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        raise self._error


def tracker(latest: dict[str, object] | None = None) -> Tracker:
    return Tracker("1", {}, latest, [], False, None, {}, "action_listen")


async def test_an_action_that_raises_apologises_and_logs_no_words(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = CollectingDispatcher()
    assert await Raising().run(dispatcher, tracker(), {}) == []
    assert [message["response"] for message in dispatcher.messages] == ["utter_fallback_apology"]
    assert "action.failed action=action_for_this_test error=ValueError at=test_speaking.py:" in caplog.text
    assert "9876543210" not in caplog.text


async def test_what_an_action_logs_carries_the_id_of_the_message_it_was_called_for() -> None:
    seen: list[str | None] = []

    class Noting(Raising):
        async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
            seen.append(log_lines.current())
            return []

    await Noting().run(CollectingDispatcher(), tracker({"metadata": {"wamid": "wamid.1"}}), {})
    await Noting().run(CollectingDispatcher(), tracker({}), {})
    assert seen == ["wamid.1", None]


async def test_a_pages_footnote_does_not_leave_the_response_unfilled() -> None:
    from rasa.core.nlg.interpolator import interpolate_text

    class Quoting(Raising):
        async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
            dispatcher.utter_message(response="utter_return_policy_answer", answer="Shipping costs ₹50[1].", source="A")
            return []

    dispatcher = CollectingDispatcher()
    await Quoting().run(dispatcher, tracker(), {})
    assert interpolate_text("{answer} From {source}", dispatcher.messages[0]) == "Shipping costs ₹50 [1]. From A"


async def test_a_form_may_still_refuse_a_turn() -> None:
    with pytest.raises(ActionExecutionRejection):
        await Raising(ActionExecutionRejection("form")).run(CollectingDispatcher(), tracker(), {})


def test_the_action_server_leaves_out_the_base_and_finds_the_actions() -> None:
    executor = ActionExecutor()
    executor.register_package("actions")
    found = set(executor.actions)
    assert {"action_check_order_status", "action_delivery_date", "action_other_order"} <= found


@pytest.mark.parametrize("latest", [None, {}, {"metadata": None, "intent": None}])
def test_events_without_a_message_have_neither_metadata_nor_intent(latest: dict[str, object] | None) -> None:
    assert message_metadata(tracker(latest)) == {}
    assert intent_name(tracker(latest)) == ""
