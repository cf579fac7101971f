"""The LLM stand-in is as strict as the APIs that it stands in for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from twin.llm import make_llm_app

ASK = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}]}]}
PATHS = ("/v1/messages", "/v1/chat/completions")


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    async with TestClient(TestServer(make_llm_app())) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{"x-api-key": "k"}, {"Authorization": "Bearer k"}])
async def test_either_kind_of_key_is_accepted(client: Any, path: str, headers: dict[str, str]) -> None:
    assert (await client.post(path, json=ASK, headers=headers)).status == 200


@pytest.mark.parametrize("path", PATHS)
async def test_no_key_is_refused(client: Any, path: str) -> None:
    assert (await client.post(path, json=ASK)).status == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
async def test_sampling_parameters_are_refused(client: Any, path: str, name: str) -> None:
    response = await client.post(path, json={**ASK, name: 0}, headers={"x-api-key": "k"})
    assert response.status == 400
    assert name in await response.text()


async def test_faults_are_switched_over_http_and_counted(client: Any) -> None:
    assert (await client.put("/llm/fault", json={"fault": "overloaded", "times": 1})).status == 200
    statuses = [(await client.post(PATHS[0], json=ASK, headers={"x-api-key": "k"})).status for _ in range(2)]
    assert statuses == [529, 200]
    assert (await client.put("/llm/fault", json={"fault": "nonsense"})).status == 400
    assert len(await (await client.get("/llm/requests")).json()) == 2
