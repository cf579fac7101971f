"""Every yes-or-no question of the domain is kept: "yes" does what its first button says, "no" leaves things alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

import yaml_files
from actions.confirmation import ActionAffirm
from actions.skill.action import BaseAction

DOMAIN = yaml_files.read(Path(__file__).parents[2] / "domain.yml")
ASKED_BEFORE_ACTING = ("utter_self_service_confirm", "utter_self_service_again")
USER = {"event": "user", "text": "yes please", "parse_data": {"intent": {"name": "affirm"}}}


def offers() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Each variation that asks yes or no: response and buttons."""
    for name, variations in DOMAIN["responses"].items():
        for variation in variations:
            buttons = variation.get("buttons") or []
            if "/deny" in [button["payload"] for button in buttons]:
                yield name, buttons


class Answering(BaseAction):
    """Stands for the action behind a button."""

    def name(self) -> str:
        return "answering"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Any]:
        dispatcher.utter_message(response="answered")
        return []


@pytest.mark.parametrize(("response", "buttons"), offers())
async def test_yes_does_what_was_offered(response: str, buttons: list[dict[str, str]]) -> None:
    said = {"event": "bot", "data": {"buttons": buttons}, "metadata": {"utter_action": response}}
    of_a_change = response.startswith(("utter_order_change", "utter_self_service"))
    slots = {"change_order_number": "10234", "change_kind": "cancel"} if of_a_change else {}
    slots |= {"change_act": "cancel"} if response in ASKED_BEFORE_ACTING else {}
    tracker = Tracker("c", slots, {"intent": {"name": "affirm"}, "entities": [], "metadata": {}}, [said, USER], False,
                      None, {}, "action_listen")  # fmt: skip
    dispatcher = CollectingDispatcher()
    answers = {name: Answering() for name in ("check_order_status", "ask_return_policy", "list_orders")}
    events = await ActionAffirm(answers).run(dispatcher, tracker, DOMAIN)
    called = FollowupAction("action_escalate") in events
    if response in ASKED_BEFORE_ACTING:
        assert events == [FollowupAction("order_change_form")], "what would be done is said again first"
        return
    assert called or [message["response"] for message in dispatcher.messages] == ["answered"]


def test_a_change_that_is_agreed_to_after_a_pause_is_passed_on_with_what_is_wanted() -> None:
    found = [name for name, buttons in offers() if buttons[0]["payload"] == "/affirm"]
    assert found
    assert all(name.startswith("utter_order_change_") or name in ASKED_BEFORE_ACTING for name in found)


def test_no_is_answered_in_words() -> None:
    rules = yaml_files.read(Path(__file__).parents[2] / "data/rules/general.yml")["rules"]
    assert {"intent": "deny"} in [step for rule in rules for step in rule["steps"]]
