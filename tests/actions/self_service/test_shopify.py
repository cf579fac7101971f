"""Shopify, by a stand-in: what is done, once, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Act
from actions.self_service.shopify import Shopify
from tests.actions.self_service.shop_stand_ins import (
    CANCEL,
    FIELDS,
    ShopifyStandIn,
    moved,
    performed,
    returned,
)


@pytest.mark.parametrize("drop", [True, False])
async def test_shopify_sends_an_order_elsewhere_once(serving: Any, drop: bool) -> None:
    shop = ShopifyStandIn(drop=drop)
    assert (await performed(Shopify(await serving(shop), "shpat_1"), moved(), 5)).outcome == DONE
    assert tuple(shop.address[name] for name in ("address1", "address2", "city", "provinceCode", "zip")) == FIELDS
    assert (shop.address["firstName"], shop.address["countryCode"]) == ("Asha", "IN")
    assert shop.mutations == 1


async def test_shopify_that_says_yes_and_keeps_the_old_address_is_an_unknown_outcome(serving: Any) -> None:
    shop = ShopifyStandIn()
    shop.ignores_address = True
    assert (await performed(Shopify(await serving(shop), "shpat_1"), moved(), 1)).outcome == UNKNOWN


@pytest.mark.parametrize(("field", "outcome"), [
    (["shippingAddress", "zip"], (NOT_DONE, "")), (["id"], (REFUSED, "Sorry")),
])  # fmt: skip
async def test_address_that_shopify_does_not_take_is_a_ticket_and_an_order_a_reason(
    serving: Any, field: list[str], outcome: tuple[str, str]
) -> None:
    shop = ShopifyStandIn()
    shop.errors = [{"field": field, "message": "Sorry"}]
    answered = await performed(Shopify(await serving(shop), "shpat_1"), moved())
    assert (answered.outcome, answered.reason) == outcome
    assert answered.attempts == 1


@pytest.mark.parametrize("status", ["FULFILLED", "PARTIALLY_FULFILLED", "IN_PROGRESS"])
async def test_shopify_is_not_asked_to_send_elsewhere_what_left(serving: Any, status: str) -> None:
    shop = ShopifyStandIn(status)
    assert (await performed(Shopify(await serving(shop), "shpat_1"), moved())).outcome == REFUSED
    assert not shop.mutations


@pytest.mark.parametrize("drop", [True, False])
async def test_shopify_cancels_once_and_says_so_when_it_has(serving: Any, drop: bool) -> None:
    shop = ShopifyStandIn(drop=drop)
    outcome = await performed(Shopify(await serving(shop), "shpat_1"), CANCEL, 5)
    assert outcome.outcome == DONE
    assert shop.cancelling
    assert shop.mutations == (2 if drop else 1)


async def test_shopify_that_never_finishes_is_an_unknown_outcome(serving: Any) -> None:
    shop = ShopifyStandIn(background=1000)
    assert (await performed(Shopify(await serving(shop), "shpat_1"), CANCEL, 1.5)).outcome == UNKNOWN
    assert shop.mutations == 1


@pytest.mark.parametrize("status", ["FULFILLED", "PARTIALLY_FULFILLED", "IN_PROGRESS"])
async def test_shopify_is_not_asked_to_cancel_what_left(serving: Any, status: str) -> None:
    shop = ShopifyStandIn(status)
    assert (await performed(Shopify(await serving(shop), "shpat_1"), CANCEL)).outcome == REFUSED
    assert not shop.mutations


async def test_shopify_registers_the_return_of_chosen_items_once(serving: Any) -> None:
    shop = ShopifyStandIn("FULFILLED", drop=True)
    port = Shopify(await serving(shop), "shpat_1")
    assert (await performed(port, returned(("KURTA", 1), ("1", 1)))).outcome == DONE
    assert shop.requested == [{"F1": 1, "F2": 1}]
    assert "too small (exchange)" in shop.notes[0]
    again = Act("returns", "1001", "", "y", "another wish", {"items": [], "reason": "r", "wish": "refund"})
    assert (await performed(port, again)).outcome == DONE
    assert shop.requested[1:] == [{"F1": 1, "F2": 2}], "the whole order"


async def test_items_that_shopify_does_not_know_are_a_ticket_at_once(serving: Any) -> None:
    shop = ShopifyStandIn("FULFILLED")
    for items in ([("HAT", 1)], [("KURTA", 3)]):
        outcome = await performed(Shopify(await serving(shop), "shpat_1"), returned(*items))
        assert (outcome.outcome, outcome.attempts) == (NOT_DONE, 1)
    assert not shop.mutations


async def test_what_shopify_turns_down_is_a_refusal(serving: Any) -> None:
    shop = ShopifyStandIn()
    shop.errors = [{"code": "INVALID", "message": "Order cannot be cancelled"}]
    assert (await performed(Shopify(await serving(shop), "shpat_1"), CANCEL)).outcome == REFUSED


async def test_shopify_that_refuses_the_token_or_knows_no_such_order_is_not_done(serving: Any) -> None:
    url = await serving(ShopifyStandIn())
    assert (await performed(Shopify(url, "wrong"), CANCEL, 0.3)).outcome == NOT_DONE
    unknown = await performed(Shopify(url, "shpat_1"), Act("cancel", "1002", "", "y", "w"))
    assert (unknown.outcome, unknown.attempts) == (NOT_DONE, 1)
