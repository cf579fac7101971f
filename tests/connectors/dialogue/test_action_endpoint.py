"""What goes along with an action call."""

from __future__ import annotations

import json
from typing import Any

from connectors.dialogue.action_endpoint import KeptAliveEndpoint

RESPONSES = {"utter_order_piece_due": [{"text": "kal"}], "utter_greet": [{"text": "Hi 👋"}]}


def domain(**more: Any) -> dict[str, Any]:
    return {"version": "3.1", "slots": {"language": {}}, "responses": RESPONSES, **more}


def test_of_the_responses_only_pieces_of_sentences_go_along() -> None:
    endpoint, once = KeptAliveEndpoint("http://127.0.0.1:1"), domain()
    for said in ("क्या", "again"):
        call = {"next_action": "action_x", "domain": once, "tracker": {"text": said}}
        pieces = {"utter_order_piece_due": RESPONSES["utter_order_piece_due"]}
        assert json.loads(endpoint._body(call)) == {**call, "domain": {**once, "responses": pieces}}


def test_another_domain_is_not_taken_for_the_last() -> None:
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1")
    calls = [{"version": "3.6", "domain": domain(session=number)} for number in range(3)]
    assert [json.loads(endpoint._body(call))["domain"]["session"] for call in calls] == [0, 1, 2]


def test_a_call_without_domain_or_responses_is_sent_as_it_is() -> None:
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1")
    for call in ({"next_action": "a"}, {"domain": {}}, {"domain": {"slots": {}, "responses": {}}, "version": "3"}):
        assert json.loads(endpoint._body(call)) == call
