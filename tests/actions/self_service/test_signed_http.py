"""The signed HTTP API of the contract, against a shop that answers well, badly, late or not at all."""

from __future__ import annotations

import asyncio
import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Act
from actions.self_service.performing import Performed, SelfService
from actions.self_service.signed_http import SignedHttpApi

ALL = ("cancel", "address", "returns")
CANCEL = Act("cancel", "10241", "+919812345670", "wamid.yes", "wamid.HBgMOTE5==")


async def performed(shop: Any, act: Act = CANCEL, within_s: float = 2.0, attempt_s: float = 0.3) -> Performed:
    service = SelfService(SignedHttpApi(shop.url, shop.secret, attempt_s), ALL, within_s, pause_s=0.02)
    return await service.perform(act)


@pytest.mark.parametrize(("action", "details"), [
    ("cancel", {}),
    ("address", {"address": "12 Moor Lane, Leeds LS1 4DY, ਪੰਜਾਬ"}),
    ("returns", {"items": [{"item_id": "a", "quantity": 2}], "reason": "too small", "wish": "exchange"}),
])
async def test_shop_is_told_in_the_words_of_the_contract(
    shop: SimpleNamespace, action: str, details: dict[str, Any]
) -> None:
    act = Act(action, "ORD/2024/001", "+447700900123", "wamid.X", "wamid.W", details)
    assert await performed(shop, act) == Performed(DONE, attempts=1)
    assert shop.system.requests == [{
        "path": f"/shop/orders/ORD%2F2024%2F001/{action}",
        "key": f"ORD%2F2024%2F001:{action}:wamid.W",
        "body": {"order_id": "ORD/2024/001", "requested_by": "+447700900123", "wamid": "wamid.X", **details},
    }]  # fmt: skip


async def test_wrong_secret_does_nothing_and_says_so(shop: SimpleNamespace) -> None:
    shop.secret = "another"
    outcome = await performed(shop, within_s=0.3)
    assert (outcome.outcome, outcome.why) == (NOT_DONE, "HTTP 401")
    assert not shop.system.acts


async def test_refusal_is_final_and_its_reason_told(shop: SimpleNamespace) -> None:
    shop.system.refusals = {"10241": "It left at noon."}
    assert await performed(shop) == Performed(REFUSED, "It left at noon.", attempts=1)
    assert not shop.system.acts


@pytest.mark.parametrize("fault", [
    "server_error", "done_but_server_error", "hang", "done_but_hang", "drop", "unauthorized", "redirect",
])
async def test_what_went_wrong_once_is_asked_again_under_the_same_key_and_done_once(
    shop: SimpleNamespace, fault: str
) -> None:
    shop.system.faults = [fault]
    assert await performed(shop, within_s=20, attempt_s=1 if "hang" in fault else 10) == Performed(DONE, attempts=2)
    assert len({request["key"] for request in shop.system.requests}) == 1
    assert len(shop.system.acts) == 1


@pytest.mark.parametrize(("fault", "outcome"), [
    ("server_error", UNKNOWN), ("hang", UNKNOWN), ("drop", UNKNOWN), ("redirect", UNKNOWN), ("unauthorized", NOT_DONE),
])
async def test_what_stays_wrong_ends_in_time_and_is_called_what_it_is(
    shop: SimpleNamespace, fault: str, outcome: str
) -> None:
    shop.system.faults = [fault] * 100
    began = time.monotonic()
    found = await performed(shop, within_s=0.8)
    assert found.outcome == outcome
    assert found.attempts > 1
    assert time.monotonic() - began < 10


async def test_one_attempt_that_may_have_arrived_makes_the_whole_unknown(shop: SimpleNamespace) -> None:
    shop.system.faults = ["hang", *["unauthorized"] * 100]
    assert (await performed(shop, within_s=0.8)).outcome == UNKNOWN


async def test_refusal_without_a_reason_that_can_be_read_is_a_refusal(shop: SimpleNamespace) -> None:
    shop.system.faults = ["not_json"]
    assert await performed(shop) == Performed(REFUSED, "", attempts=1)


async def test_nobody_listening_is_not_done() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = SimpleNamespace(url=f"http://127.0.0.1:{probe.getsockname()[1]}", secret="s")
    outcome = await performed(nobody, within_s=0.3)
    assert (outcome.outcome, outcome.why) == (NOT_DONE, "cannot be reached (ConnectError)")


async def test_answer_that_drips_for_ever_or_is_huge_is_cut_off() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")  # closed with a body unread, the connection would be reset and the answer lost
        writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\n\r\n" + b" " * 1_000_000)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await performed(SimpleNamespace(url=url, secret="s"))).outcome == REFUSED


async def test_an_adapter_that_breaks_is_an_unknown_outcome() -> None:
    class Broken:
        async def attempt(self, act: Act) -> Any:
            raise KeyError("id")

    assert (await SelfService(Broken(), ALL, 0.1, 0.02).perform(CANCEL)).outcome == UNKNOWN
