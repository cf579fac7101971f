"""The demo's scenarios, played through the whole product."""

from __future__ import annotations

import pytest

from tests.journeys.shop import Shop
from twin.scenarios.script import Script, scripts


@pytest.mark.parametrize("scenario", scripts(), ids=lambda one: one.key)
def test_a_scenario_holds_to_its_last_step(shop: Shop, scenario: Script) -> None:
    answer = shop.twin.post(f"/scenarios/{scenario.key}/play", json={"speed": 0, "wait": True})
    assert answer.status_code == 200
    assert answer.json()["problem"] == ""
    assert all(held for *_, held in answer.json()["steps"])
