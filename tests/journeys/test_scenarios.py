"""The demo's scenarios, played through the whole product."""

from __future__ import annotations

import pytest

from tests.journeys.shop import Shop
from twin.scenarios.script import Script, scripts


@pytest.mark.parametrize("scenario", scripts(), ids=lambda one: one.key)
def test_a_scenario_holds_to_its_last_step(shop: Shop, scenario: Script) -> None:
    answer = shop.twin.post(f"/scenarios/{scenario.key}/play", json={"speed": 0, "wait": True})
    assert answer.status_code == 200
    played = answer.json()
    # Other journeys are of these customers, too: they meet them as they were.
    shop.twin.post(f"/phone/api/chats/{played['customer']}/start-over", json={}).raise_for_status()
    assert played["problem"] == ""
    assert all(held for *_, held in played["steps"])
