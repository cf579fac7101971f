"""How the twin's Graph fails when told to: errors, lost answers, statuses that come late, a proxy's page."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.twin.standin import ASHA, RunningTwin

CODES = [(131000, 500), (131016, 503), (130429, 400), (131056, 400), (190, 401), (368, 400), (131026, 400)]


@pytest.mark.parametrize(("code", "http"), CODES)
async def test_graph_fails_as_often_as_asked(twin: RunningTwin, code: int, http: int) -> None:
    await twin.write(text="hi")
    await twin.post("/control/faults", kind="error", code=code, times=2)
    outcomes = [await twin.assistant.text(ASHA, "hello") for _ in range(3)]
    assert [status for status, _ in outcomes] == [http, http, 200]
    assert outcomes[0][1]["error"]["code"] == code
    assert len((await twin.get("/control/sent"))["sent"]) == 1


async def test_a_fault_for_one_customer_leaves_others_alone(twin: RunningTwin) -> None:
    other = "+919000000002"
    await twin.write(text="hi")
    await twin.write(customer=other, text="hi")
    await twin.post("/control/faults", kind="error", code=131056, times=None, customer=ASHA)
    assert (await twin.assistant.text(ASHA, "hello"))[0] == 400
    assert (await twin.assistant.text(other, "hello"))[0] == 200


LOST_ANSWERS = [("hang", 0), ("reset", 0), ("accept_then_hang", 1), ("accept_then_reset", 1)]


@pytest.mark.parametrize(("kind", "accepted"), LOST_ANSWERS)
async def test_a_lost_answer_says_nothing_about_acceptance(twin: RunningTwin, kind: str, accepted: int) -> None:
    await twin.write(text="hi")
    await twin.post("/control/faults", kind=kind, seconds=0.3)
    with pytest.raises((aiohttp.ClientError, asyncio.TimeoutError)):
        await asyncio.wait_for(twin.assistant.text(ASHA, "hello"), 0.2 if "hang" in kind else 5)
    assert len((await twin.get("/control/sent"))["sent"]) == accepted


async def test_a_failed_status_can_follow_an_acceptance(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    await twin.post("/control/faults", kind="failed_status", code=131026)
    assert (await twin.assistant.text(ASHA, "hello"))[0] == 200
    await twin.until(lambda: twin.assistant.delivery_statuses)
    told = twin.assistant.delivery_statuses[0]
    assert (told["status"], told["errors"][0]["code"]) == ("failed", 131026)


async def test_a_proxys_page_is_not_json(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    await twin.post("/control/faults", kind="html")
    with pytest.raises(json.JSONDecodeError):
        await twin.assistant.text(ASHA, "hello")


async def test_an_unknown_fault_is_refused_with_the_choices(twin: RunningTwin) -> None:
    status, answer = await twin.post("/control/faults", kind="earthquake")
    assert status == 400
    assert "accept_then_hang" in answer["error"]
