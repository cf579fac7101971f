"""WooCommerce, by a stand-in: what is done, once, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, Act
from actions.self_service.performing import Performed
from actions.self_service.woocommerce import WooCommerce
from tests.actions.self_service.shop_stand_ins import (
    CANCEL,
    FIELDS,
    Woo,
    moved,
    performed,
)


@pytest.mark.parametrize(("status", "outcome", "after"), [
    ("processing", DONE, "cancelled"), ("on-hold", DONE, "cancelled"), ("pending", DONE, "cancelled"),
    ("cancelled", DONE, "cancelled"), ("completed", REFUSED, "completed"), ("refunded", REFUSED, "refunded"),
])  # fmt: skip
async def test_woocommerce_cancels_what_is_still_there(serving: Any, status: str, outcome: str, after: str) -> None:
    shop = Woo(status)
    port = WooCommerce(await serving(shop), "ck_1:cs_2")
    assert (await performed(port, CANCEL)).outcome == outcome
    assert shop.status == after


@pytest.mark.parametrize("done", [True, False])
async def test_woocommerce_is_asked_again_and_changed_once(serving: Any, done: bool) -> None:
    shop = Woo("processing", (500,), done)
    assert await performed(WooCommerce(await serving(shop), "ck_1:cs_2"), CANCEL) == Performed(DONE, attempts=2)
    assert shop.writes == (1 if done else 2)


@pytest.mark.parametrize("faults", [(), (500,)])
@pytest.mark.parametrize("status", ["processing", "on-hold", "completed", "cancelled"])
async def test_woocommerce_sends_what_is_still_there_elsewhere_once(serving: Any, status: str, faults: Any) -> None:
    shop = Woo(status, faults, done=True)
    before, still_there = dict(shop.shipping), status in ("processing", "on-hold")
    outcome = await performed(WooCommerce(await serving(shop), "ck_1:cs_2"), moved())
    assert outcome.outcome == (DONE if still_there else REFUSED)
    assert shop.writes == still_there
    changed = ("address_1", "address_2", "city", "state", "postcode")
    new = {**before, "company": "", **dict(zip(changed, FIELDS, strict=True))}
    assert shop.shipping == (new if still_there else before), "all that is left of the old address: name and country"


async def test_woocommerce_that_is_away_while_its_states_are_asked_for_has_done_nothing(serving: Any) -> None:
    shop = Woo("processing")
    shop.country = {"states": 7}
    assert (await performed(WooCommerce(await serving(shop), "ck_1:cs_2"), moved(), 0.3)).outcome == NOT_DONE
    assert not shop.writes


async def test_woocommerce_that_refuses_the_key_or_knows_no_such_order_is_not_done(serving: Any) -> None:
    url = await serving(Woo("processing"))
    assert (await performed(WooCommerce(url, "ck_1:wrong"), CANCEL, 0.3)).outcome == NOT_DONE
    other = Act("cancel", "1002", "", "y", "w")
    assert (await performed(WooCommerce(url, "ck_1:cs_2"), other, 0.3)).outcome == NOT_DONE
    lettered = await performed(WooCommerce(url, "ck_1:cs_2"), Act("cancel", "WC-1001", "", "y", "w"))
    assert (lettered.outcome, lettered.attempts) == (NOT_DONE, 1)
