"""The simulated Zendesk refuses what Zendesk refuses, in its words and with its headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from twin.helpdesk.account import Helpdesk
from twin.helpdesk.api import create_app

GOOD: dict[str, Any] = {"subject": "Help", "comment": {"body": "hello"}}


@pytest.fixture
async def zendesk() -> AsyncIterator[tuple[Helpdesk, Any]]:
    """The account, and a call: (method, path, body, headers) → status, headers, body."""
    helpdesk = Helpdesk(token="t", first_id=1)
    async with TestClient(TestServer(create_app(helpdesk))) as client:

        async def call(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
            sent = {"Authorization": "Bearer t", **headers}
            async with client.request(method, f"/api/v2{path}", json=body, headers=sent) as answer:
                return answer.status, answer.headers, json.loads(await answer.text() or "{}")

        yield helpdesk, call


@pytest.mark.parametrize(("change", "field"), [
    ({"comment": {"body": ""}}, None), ({"comment": {"body": "x" * 65_536}}, "comment"),
    ({"priority": "grave"}, "priority"), ({"status": "done"}, "status"),
    ({"requester_id": 77}, "requester"), ({"assignee_id": 77}, "assignee"),
])  # fmt: skip
async def test_a_ticket_that_is_none_is_refused_by_the_name_of_its_field(
    zendesk: Any, change: Any, field: str | None
) -> None:
    helpdesk, call = zendesk
    status, _, body = await call("POST", "/tickets", {"ticket": {**GOOD, **change}})
    assert (status, body["error"]) == (422, "RecordInvalid")
    assert list(body.get("details") or {}) == ([field] if field else [])
    assert not helpdesk.tickets.tickets


async def test_a_key_repeats_its_answer_and_refuses_another_body(zendesk: Any) -> None:
    helpdesk, call = zendesk
    key = {"Idempotency-Key": "k"}
    answers = [await call("POST", "/tickets", {"ticket": GOOD}, **key) for _ in range(2)]
    assert [headers["x-idempotency-lookup"] for _, headers, _ in answers] == ["miss", "hit"]
    assert answers[0][2] == answers[1][2]
    status, _, body = await call("POST", "/tickets", {"ticket": {**GOOD, "subject": "Other"}}, **key)
    assert (status, body["error"]) == (400, "IdempotentRequestError")
    assert len(helpdesk.tickets.tickets) == 1


async def test_the_calls_of_a_minute_are_counted_and_one_too_many_says_when_to_come_again(zendesk: Any) -> None:
    helpdesk, call = zendesk
    helpdesk.calls_a_minute = 2
    answers = [await call("GET", "/tickets") for _ in range(3)]
    assert [(status, headers["X-Rate-Limit-Remaining"]) for status, headers, _ in answers] == [
        (200, "1"), (200, "0"), (429, "0"),
    ]  # fmt: skip
    assert 0 < int(answers[2][1]["Retry-After"]) <= 60
    assert answers[2][2]["error"] == "APIRateLimitExceeded"


async def test_merged_closed_and_suspended_are_refused(zendesk: Any) -> None:
    helpdesk, call = zendesk
    for _ in range(2):
        await call("POST", "/tickets", {"ticket": {**GOOD, "requester": {"name": "Asha", "external_id": "a"}}})
    helpdesk.tickets.merge(1, 2)
    status, _, body = await call("PUT", "/tickets/1", {"ticket": {"comment": {"body": "more"}}})
    assert (status, list(body["details"])) == (422, ["status"])
    for ids in ((1, 2), (2, 2)):
        with pytest.raises(Exception, match="RecordInvalid"):
            helpdesk.tickets.merge(*ids)
    requester = helpdesk.tickets.tickets[2].fields["requester_id"]
    helpdesk.tickets.mark_as_spam(2)
    status, _, body = await call("POST", "/tickets", {"ticket": {**GOOD, "requester_id": requester}})
    assert body["details"]["requester"][0]["error"] == "UserSuspended"
    assert (await call("GET", "/tickets/2"))[0] == 404


async def test_who_answers_first_has_the_ticket_and_only_agents_can_be_given_one(zendesk: Any) -> None:
    helpdesk, call = zendesk
    await call("POST", "/tickets", {"ticket": GOOD})
    helpdesk.reply(1, "note", public=False, status=None, files=[])
    assert helpdesk.tickets.tickets[1].fields["assignee_id"] is None
    helpdesk.reply(1, "hello", public=True, status=None, files=[])
    assert helpdesk.tickets.tickets[1].fields["assignee_id"] == 501
    assert (await call("PUT", "/tickets/1", {"ticket": {"assignee_id": 502}}))[0] == 200
    status, _, body = await call("PUT", "/tickets/1", {"ticket": {"assignee_id": 9}})
    assert (status, list(body["details"])) == (422, ["assignee"])
