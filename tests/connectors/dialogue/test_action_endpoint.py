"""What goes along with an action call, and who may make one."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import aiohttp
import pytest
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from sanic import Sanic
from sanic.response import json as sanic_json

from connectors.dialogue.action_endpoint import KeptAliveEndpoint
from connectors.http_calls import HttpCalls, NoAnswer, NotSent
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn, current_turn
from launch.action_server import guard
from settings import PROJECT_ROOT
from tests.conftest import free_port
from tests.loops import listening

RESPONSES = {"utter_order_piece_due": [{"text": "kal"}], "utter_greet": [{"text": "Hi 👋"}]}


def domain(**more: Any) -> dict[str, Any]:
    return {"version": "3.1", "slots": {"language": {}}, "responses": RESPONSES, **more}


def test_of_the_responses_only_pieces_of_sentences_go_along() -> None:
    endpoint, once = KeptAliveEndpoint("http://127.0.0.1:1"), domain()
    for said in ("क्या", "again"):
        call = {"next_action": "action_x", "domain": once, "tracker": {"text": said}}
        pieces = {"utter_order_piece_due": RESPONSES["utter_order_piece_due"]}
        assert json.loads(endpoint._body(call)) == {**call, "domain": {**once, "responses": pieces}}


@pytest.mark.parametrize(("language", "said"), [("hi", ["कल", "due"]), ("pt", ["due"]), (None, ["due"])])
def test_pieces_go_along_in_the_customers_language_and_in_none(language: str | None, said: list[str]) -> None:
    def in_language(name: str) -> list[dict[str, str]]:
        return [{"type": "slot", "name": "language", "value": name}]

    pieces = [{"text": "कल", "condition": in_language("Hi")}, {"text": "mañana", "condition": in_language("es")}]
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1")
    ours = domain(responses={"utter_x_piece_due": [*pieces, {"text": "due"}]})
    for other in ("es", language, language):
        sent = json.loads(endpoint._body({"tracker": {"slots": {"language": other}}, "domain": ours}))["domain"]
    assert [one["text"] for one in sent["responses"]["utter_x_piece_due"]] == said


def test_another_domain_is_not_taken_for_the_last() -> None:
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1")
    calls = [{"version": "3.6", "domain": domain(session=number)} for number in range(3)]
    assert [json.loads(endpoint._body(call))["domain"]["session"] for call in calls] == [0, 1, 2]


def test_a_call_without_domain_or_responses_is_sent_as_it_is() -> None:
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1")
    for call in ({"next_action": "a"}, {"domain": {}}, {"domain": {"slots": {}, "responses": {}}, "version": "3"}):
        assert json.loads(endpoint._body(call)) == call


async def test_an_action_is_run_only_for_who_brings_the_token() -> None:
    app, ran = Sanic("guarded_actions"), []

    @app.post("/webhook")
    async def webhook(request: Any) -> Any:
        ran.append(request.json["next_action"])
        return sanic_json({"events": [], "responses": []})

    @app.get("/health")
    async def health(request: Any) -> Any:
        return sanic_json({})

    app.register_middleware(guard("t0ken"), "request")
    port = free_port()
    async with listening(app, port):
        known = EndpointConfig(f"http://127.0.0.1:{port}/webhook")
        for token in (None, "t0ke"):
            stranger = KeptAliveEndpoint.like(known, token)
            with pytest.raises(ClientResponseError, match="401"):
                await stranger.request(json={"next_action": "action_check_order_status"})
        ours = KeptAliveEndpoint.like(known, "t0ken")
        assert await ours.request(json={"next_action": "action_greet"}) == {"events": [], "responses": []}
        async with aiohttp.ClientSession() as anybody, anybody.get(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
    assert ran == ["action_greet"]


async def test_the_span_of_an_action_call_names_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[tuple[str, dict[str, Any]]] = []

    def span(name: str, *_: object, **attributes: Any) -> AbstractContextManager[None]:
        spans.append((name, attributes))
        return nullcontext()

    monkeypatch.setattr("tracing.span", span)
    endpoint = KeptAliveEndpoint(f"http://127.0.0.1:{free_port()}/webhook")
    with pytest.raises(aiohttp.ClientConnectionError):
        await endpoint.request(json={"next_action": "action_x"})
    assert spans == [("action.call", {"action": "action_x"})]


@pytest.mark.parametrize(("action", "errors", "waits", "unanswered"), [
    ("action_x", [NotSent()], True, False), ("action_x", [NoAnswer(), NoAnswer()], True, True),
    ("action_x", [NoAnswer(), NotSent()], True, True), ("action_x", [asyncio.TimeoutError()], False, False),
    ("action_order_change_outcome", [asyncio.TimeoutError()], True, True),
    ("action_escalate", [NoAnswer(), asyncio.TimeoutError()], True, True),
])  # fmt: skip
async def test_a_turn_waits_for_an_action_server_that_nobody_reached_and_not_for_one_that_took_the_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, action: str, errors: list[Exception],
    waits: bool, unanswered: bool,
) -> None:  # fmt: skip
    """But for one that may have done something. That it waits is one line of ours, without Rasa's traceback."""
    asked = []

    async def post(*_: object) -> None:
        asked.append(1)
        raise errors[len(asked) - 1]

    monkeypatch.setattr(HttpCalls, "post", post)
    turn = Turn(Entry("message", "919876543210", "wamid.1", {}), {})
    token = current_turn.set(turn)
    endpoint = KeptAliveEndpoint.like(EndpointConfig("http://127.0.0.1:1/webhook"))
    with pytest.raises(aiohttp.ClientConnectionError if waits else asyncio.TimeoutError):
        await endpoint.request(json={"next_action": action})
    logging.getLogger("rasa.core.processor").error("Encountered an exception while running action")
    current_turn.reset(token)
    assert bool(caplog.records) != waits
    assert (turn.dependency_unavailable is not None, turn.unanswered) == (waits, unanswered)
    assert len(asked) == len(errors)
    assert action == "action_x" or f"- {action}:" in (PROJECT_ROOT / "domain.yml").read_text()


async def test_after_a_call_without_an_answer_the_turn_calls_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa goes on as if the action had done nothing; what it would call next knows nothing of the outcome."""
    asked = []

    async def post(*_: object) -> None:
        asked.append(1)
        raise NotSent

    monkeypatch.setattr(HttpCalls, "post", post)
    token = current_turn.set(Turn(Entry("message", "919876543210", "wamid.1", {}), {}))
    endpoint = KeptAliveEndpoint("http://127.0.0.1:1/webhook")
    for action in ("action_order_change_outcome", "action_escalate"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await endpoint.request(json={"next_action": action})
    current_turn.reset(token)
    assert len(asked) == 1
