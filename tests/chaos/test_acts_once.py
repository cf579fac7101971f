"""A confirmed wish is done once, whatever is killed while it is done, however often Meta brings the yes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.journeys.shop import Shop, words

FARHAN = "+919845098450"
ACTIONS, RASA = "launch.action_server", "connectors.server"


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_killed_while_the_shop_acts_it_acts_once_all_the_same(tmp_path: Path) -> None:
    with Shop(tmp_path / "var") as shop:
        for order, modules in (("10304", (ACTIONS,)), ("10305", (RASA,)), ("10307", (ACTIONS, RASA))):
            farhan = shop.customer(FARHAN)
            assert f"cancel order #{order} now" in words(farhan.say(f"cancel {order}"))
            shop.twin.put("/shop/faults", json={"faults": ["done_but_hang"]}).raise_for_status()
            farhan.write(text="yes", copies=2)
            deadline = time.monotonic() + 10
            while not any(act["body"]["order_id"] == order for act in shop.twin.get("/shop/acts").json()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            shop.kill(*modules)
            farhan.write(text="yes")
            assert f"#{order} is cancelled" in words(farhan.listen(first_s=60, quiet_s=5))
            acts = [act for act in shop.twin.get("/shop/acts").json() if act["body"]["order_id"] == order]
            assert len(acts) == 1
            assert acts[0]["asked"] >= 2
