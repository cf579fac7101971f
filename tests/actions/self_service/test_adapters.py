"""What every shop system holds to, and which one is chosen."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from actions.self_service.acts import NOT_DONE, UNKNOWN
from actions.self_service.adapters import shop_port
from actions.self_service.shopify import Shopify
from actions.self_service.signed_http import SignedHttpApi
from actions.self_service.woocommerce import WooCommerce
from tests.actions.self_service.shop_stand_ins import (
    CANCEL,
    ShopifyStandIn,
    Woo,
    moved,
    performed,
    returned,
)


@pytest.mark.parametrize("address", [
    "12 Main Road, Baner, Pune", "12 Main Road, Pune 411045", "12 Main Road, Paris 411045, France",
])  # fmt: skip
async def test_address_whose_parts_are_not_sure_is_a_ticket_at_once_in_either_shop(serving: Any, address: str) -> None:
    woo, shopify = Woo("processing"), ShopifyStandIn()
    for port in (WooCommerce(await serving(woo), "ck_1:cs_2"), Shopify(await serving(shopify), "shpat_1")):
        outcome = await performed(port, moved(address))
        assert (outcome.outcome, outcome.attempts) == (NOT_DONE, 1)
    assert not woo.writes
    assert not shopify.mutations


@pytest.mark.parametrize("body", ["[]", "{}", '{"data": null}', '{"data": {"orders": [1]}}', "<html>", "\x00",
                                  '{"data": {"orders": {"nodes": [{"name": "#1001", "id": 7}]}}}'])  # fmt: skip
async def test_any_answer_is_survived(serving: Any, body: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    url = await serving(answer)
    for port in (Shopify(url, "t"), WooCommerce(url, "k:s")):
        for act in (CANCEL, moved(), returned(("a", 1))):
            assert (await performed(port, act, 0.2)).outcome in (UNKNOWN, NOT_DONE)


@pytest.mark.parametrize(("url", "kind"), [
    ("https://shop.example/api", SignedHttpApi), ("woocommerce+https://shop.example", WooCommerce),
    ("shopify+https://oak.myshopify.com", Shopify), ("Shopify+https://oak.myshopify.com", Shopify),
])  # fmt: skip
def test_adapter_is_chosen_by_the_scheme(url: str, kind: type) -> None:
    assert type(shop_port(url, "k:s")) is kind
