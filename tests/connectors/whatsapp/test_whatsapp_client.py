"""The Graph API's answers become one class per remedy, over real HTTP."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import settings
from connectors.message_bus.sending import errors
from connectors.message_bus.sending.errors import SendError
from connectors.whatsapp.graph.client import GraphClient, Media
from connectors.whatsapp.graph.errors import classify

TOKEN = "EAAsecret-token"
BODY = {"messaging_product": "whatsapp", "to": "+919812345670", "type": "text", "text": {"body": "very private"}}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Graph:
    """A server that keeps the requests and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any, str]] = []
        self.answer: Answer | None = None
        self.url = ""

    def answers(self, status: int = 200, payload: Any = None, **more: Any) -> None:
        async def answer(request: web.Request) -> web.Response:
            if isinstance(payload, str):
                return web.Response(status=status, text=payload, content_type="text/html", **more)
            return web.json_response(payload, status=status, **more)

        self.answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.content_type == "application/json" else None
        authorization = request.headers.get("Authorization", "")
        self.requests.append((request.method, request.path_qs, body, authorization))
        assert self.answer is not None
        return await self.answer(request)


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    graph = Graph()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", graph.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    graph.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v25.0"
    yield graph
    await runner.cleanup()


@pytest.fixture
async def client(graph: Graph) -> AsyncIterator[GraphClient]:
    client = GraphClient(graph.url, "700000000000001", TOKEN, timeout_s=0.5)
    yield client
    await client.close()


async def failure(client: GraphClient) -> SendError:
    with pytest.raises(SendError) as raised:
        await client.send(BODY)
    return raised.value


async def test_sending_gives_the_wamid(graph: Graph, client: GraphClient) -> None:
    graph.answers(payload={"messages": [{"id": "wamid.out"}]})
    assert await client.send(BODY) == "wamid.out"
    assert graph.requests == [("POST", "/v25.0/700000000000001/messages", BODY, f"Bearer {TOKEN}")]


async def test_read_marks_come_with_the_typing_indicator(graph: Graph, client: GraphClient) -> None:
    graph.answers(payload={"success": True})
    await client.mark_read("wamid.in")
    await client.mark_read("wamid.in", typing=False)
    first, second = (request[2] for request in graph.requests)
    assert second == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in"}
    assert first == {**second, "typing_indicator": {"type": "text"}}


async def test_media_is_fetched_with_our_token_and_its_id_cannot_change_the_path(
    graph: Graph, client: GraphClient
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/file"):
            return web.Response(body=b"OggS", content_type="Audio/OGG")
        return web.json_response({"url": graph.url + "/file", "file_size": 4})

    graph.answer = answer
    assert await client.media("77/../me?x", max_bytes=4) == Media("audio/ogg", b"OggS")
    assert graph.requests[0][1] == "/v25.0/77%2F..%2Fme%3Fx?phone_number_id=700000000000001"
    assert [authorization for *_, authorization in graph.requests] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize("told", [{"file_size": 9}, {"file_size": 1}, {}])
async def test_a_file_that_is_larger_than_allowed_is_left_whatever_was_announced(
    graph: Graph, client: GraphClient, told: dict[str, int]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/file"):
            return web.Response(body=bytes(9))
        return web.json_response({"url": graph.url + "/file", **told})

    graph.answer = answer
    with pytest.raises(errors.MediaFailed):
        await client.media("77", max_bytes=8)


@pytest.mark.parametrize("url", [
    "https://files.example/1", "http://lookaside.fbsbx.com/1", "https://fbsbx.com.evil.example/1", "file:///etc/passwd",
    "https://lookaside.fbsbx.com@evil.example/1", "https://[::1/1", "http://127.0.0.1:1/1",
])  # fmt: skip
async def test_nobody_but_meta_gets_our_token_for_a_file(graph: Graph, client: GraphClient, url: str) -> None:
    graph.answers(payload={"url": url})
    with pytest.raises(errors.MediaFailed):
        await client.media("77", max_bytes=8)


async def test_a_file_that_does_not_come_is_a_failure_that_may_pass(graph: Graph, client: GraphClient) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/file"):
            return web.Response(status=503, text="<html>")
        return web.json_response({"url": graph.url + "/file"})

    graph.answer = answer
    with pytest.raises(errors.Transient):
        await client.media("77", max_bytes=8)


CLASSES: list[tuple[int, type[SendError]]] = [
    (2, errors.Transient), (1, errors.Transient), (131000, errors.Transient), (131016, errors.Transient),
    (133004, errors.Transient), (131057, errors.Transient), (130429, errors.NumberThrottled),
    (131056, errors.RecipientThrottled), (4, errors.AccountThrottled), (80007, errors.AccountThrottled),
    (131048, errors.QualityLimited), (131064, errors.QualityLimited), (131047, errors.WindowClosed),
    (0, errors.Unauthorised), (190, errors.Unauthorised), (10, errors.Unauthorised), (200, errors.Unauthorised),
    (299, errors.Unauthorised), (131005, errors.Unauthorised), (368, errors.AccountBlocked),
    (131031, errors.AccountBlocked), (131042, errors.AccountBlocked), (133010, errors.AccountBlocked),
    (131026, errors.RecipientUnreachable), (131021, errors.RecipientUnreachable),
    (131062, errors.RecipientUnreachable), (100, errors.BadPayload), (131009, errors.BadPayload),
    (132001, errors.BadPayload), (135000, errors.BadPayload), (131053, errors.MediaFailed),
    (131049, errors.MarketingRefused),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind"), CLASSES)
async def test_metas_code_decides_the_class_whatever_the_status(
    graph: Graph, client: GraphClient, code: int, kind: type[SendError]
) -> None:
    graph.answers(400, {"error": {"code": code, "message": "…", "type": "OAuthException"}})
    error = await failure(client)
    assert type(error) is kind
    assert (error.code, error.http_status, error.ambiguous) == (code, 400, False)


@pytest.mark.parametrize(
    ("status", "is_transient", "kind"),
    [
        (400, True, errors.Transient), (400, False, errors.Unknown), (401, False, errors.Unauthorised),
        (403, False, errors.Unauthorised), (404, False, errors.Unknown), (429, False, errors.NumberThrottled),
        (500, False, errors.Transient), (503, False, errors.Transient), (302, False, errors.Transient),
    ],
)  # fmt: skip
async def test_an_unknown_code_is_judged_by_is_transient_and_then_by_status(
    graph: Graph, client: GraphClient, status: int, is_transient: bool, kind: type[SendError]
) -> None:
    graph.answers(status, {"error": {"code": 999999, "is_transient": is_transient}})
    assert type(await failure(client)) is kind


def test_a_failed_status_without_a_known_code_is_worth_another_try() -> None:
    assert classify(None) is errors.Transient
    assert classify(131047) is errors.WindowClosed


@pytest.mark.parametrize(("codes", "kind"), [
    ((4, 17, 32, 341, 613, 80007), errors.AccountThrottled), ((102, 104, 190, 299), errors.Unauthorised),
    ((133000, 133005, 133010, 133016), errors.AccountBlocked), ((133004,), errors.Transient),
])  # fmt: skip
def test_refusals_of_the_whole_account_never_cost_a_reply(codes: tuple[int, ...], kind: type[SendError]) -> None:
    assert {classify(code, http_status=400) for code in codes} == {kind}


async def test_retry_after_is_passed_on(graph: Graph, client: GraphClient) -> None:
    graph.answers(429, {"error": {"code": 130429}}, headers={"Retry-After": "7"})
    assert (await failure(client)).retry_after_s == 7
    graph.answers(429, {"error": {"code": 130429}}, headers={"Retry-After": "Wed, 21 Oct"})
    assert (await failure(client)).retry_after_s is None


@pytest.mark.parametrize(
    ("status", "payload", "kind", "ambiguous"),
    [
        (502, "<html>Bad gateway</html>", errors.Transient, True),
        (200, "<html>Welcome</html>", errors.Transient, True),
        (200, {"messages": []}, errors.Transient, True),
        (200, {"error": {"code": 131056}}, errors.RecipientThrottled, False),
        (404, "<html>Not found</html>", errors.Unknown, False),
        (400, "<html>Bad request</html>", errors.Unknown, False),
        (400, "", errors.Unknown, False),
        (400, {"error": {"code": 100, "error_subcode": 33}}, errors.AccountBlocked, False),
        (500, [], errors.Transient, True),
    ],
)
async def test_answers_that_are_not_metas_are_understood(
    graph: Graph, client: GraphClient, status: int, payload: Any, kind: type[SendError], ambiguous: bool
) -> None:
    graph.answers(status, payload)
    error = await failure(client)
    assert (type(error), error.ambiguous) == (kind, ambiguous)


async def test_a_timeout_after_sending_is_ambiguous(graph: Graph, client: GraphClient) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    graph.answer = hang
    error = await failure(client)
    assert (type(error), error.ambiguous) == (errors.Transient, True)


async def test_a_reset_after_sending_is_ambiguous(graph: Graph, client: GraphClient) -> None:
    async def reset(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    graph.answer = reset
    error = await failure(client)
    assert (type(error), error.ambiguous) == (errors.Transient, True)


async def test_no_connection_means_that_nothing_was_sent() -> None:
    client = GraphClient("http://127.0.0.1:1", "1", TOKEN, timeout_s=0.5)
    error = await failure(client)
    assert (type(error), error.ambiguous) == (errors.Transient, False)
    await client.close()


async def test_redirects_take_the_token_nowhere(graph: Graph, client: GraphClient) -> None:
    graph.answers(307, {}, headers={"Location": "/elsewhere"})
    await failure(client)
    assert len(graph.requests) == 1


async def test_errors_and_reprs_hold_neither_token_nor_text_nor_number(
    graph: Graph, client: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = {"code": 100, "message": f"{TOKEN} very private 919812345670", "type": "919812345670"}
    graph.answers(400, {"error": told})
    error = await failure(client)
    for shown in (str(error), repr(error), repr(client), caplog.text):
        assert not any(secret in shown for secret in (TOKEN, "private", "919812345670"))


async def test_the_client_works_again_after_it_was_closed(graph: Graph, client: GraphClient) -> None:
    graph.answers(payload={"messages": [{"id": "wamid.out"}]})
    await client.send(BODY)
    await client.close()
    assert await client.send(BODY) == "wamid.out"


async def test_every_call_carries_the_proof_of_the_app_secret_where_it_is_on(graph: Graph, tmp_path: Path) -> None:
    values = {
        "WHATSAPP_GRAPH_URL": graph.url, "WHATSAPP_PHONE_NUMBER_ID": "7", "WHATSAPP_ACCESS_TOKEN": TOKEN,
        "WHATSAPP_APP_SECRET": "app-secret", "WHATSAPP_APPSECRET_PROOF": "on",
    }  # fmt: skip
    client = GraphClient.from_settings(settings.load(values, tmp_path / "none"))
    graph.answers(payload={"messages": [{"id": "wamid.out"}], "id": "media", "data": []})
    await client.send(BODY)
    await client.mark_read("wamid.in")
    await client.upload(b"x", "text/plain", "x.txt")
    await client.templates("77")
    with pytest.raises(errors.Transient):
        await client.media("77/../me?x", max_bytes=4)
    await client.close()
    proof = f"appsecret_proof={hmac.new(b'app-secret', TOKEN.encode(), 'sha256').hexdigest()}"
    assert len(graph.requests) == 5
    assert all(path.split("?")[1].split("&").count(proof) == 1 for _, path, _, _ in graph.requests)
    assert graph.requests[-1][1].startswith("/v25.0/77%2F..%2Fme%3Fx?phone_number_id=7&")
    assert "app-secret" not in repr(client)
    assert proof not in repr(client)


async def test_without_the_setting_the_address_is_metas_plain_one(graph: Graph, tmp_path: Path) -> None:
    client = GraphClient.from_settings(
        settings.load({"WHATSAPP_GRAPH_URL": graph.url, "WHATSAPP_PHONE_NUMBER_ID": "7"}, tmp_path / "none")
    )
    graph.answers(payload={"messages": [{"id": "wamid.out"}]})
    await client.send(BODY)
    await client.close()
    assert graph.requests[0][1] == "/v25.0/7/messages"
