"""WooCommerce and Shopify, by stand-ins that answer in the shapes of their documentation."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Act
from actions.self_service.adapters import shop_port
from actions.self_service.performing import Performed, SelfService
from actions.self_service.shopify import Shopify
from actions.self_service.signed_http import SignedHttpApi
from actions.self_service.woocommerce import WooCommerce

CANCEL = Act("cancel", "1001", "+447700900123", "wamid.yes", "wamid.wish")
MOVED = "Flat 402, Sunrise Apartments, 12th Main Road, Baner, Pune, Maharashtra 411 045"
FIELDS = ("Flat 402, Sunrise Apartments, 12th Main Road, Baner", "", "Pune", "MH", "411045")


def moved(address: str = MOVED) -> Act:
    return Act("address", "1001", "+447700900123", "wamid.yes", "wamid.wish", {"address": address})


def returned(*items: tuple[str, int]) -> Act:
    listed = [{"item_id": item, "quantity": quantity} for item, quantity in items]
    return Act("returns", "1001", "+447700900123", "wamid.yes", "wamid.wish",
               {"items": listed, "reason": "too small", "wish": "exchange"})  # fmt: skip


async def performed(port: Any, act: Act, within_s: float = 2.0) -> Performed:
    return await SelfService(port, port.can, within_s, pause_s=0.02).perform(act)


@pytest.fixture
async def serving() -> AsyncIterator[Callable[[Any], Any]]:
    """Serves an application's handler for every path; gives its address."""
    runners = []

    async def serve(handler: Any) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


class Woo:
    """wc/v3 with one order. `faults` are statuses of the next writes, each after it took effect if `done`."""

    def __init__(self, status: str, faults: tuple[int, ...] = (), done: bool = False) -> None:
        self.status, self.faults, self.done, self.writes = status, list(faults), done, 0
        states = [{"code": "KA", "name": "Karnataka"}, {"code": "MH", "name": "Maharashtra"}]
        self.country: dict[str, Any] = {"code": "IN", "name": "India", "states": states}
        self.shipping = {
            "first_name": "Asha", "last_name": "Rao", "company": "Acme", "address_1": "4 Old Road", "address_2": "",
            "city": "Bengaluru", "state": "KA", "postcode": "560001", "country": "IN", "phone": "",
        }  # fmt: skip

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        key = base64.b64encode(b"ck_1:cs_2").decode()
        if request.headers.get("Authorization") != f"Basic {key}":
            body = {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}
            return web.json_response(body, status=401)
        if request.path == "/wp-json/wc/v3/data/countries/IN":
            return web.json_response(self.country)
        if request.path != "/wp-json/wc/v3/orders/1001":
            body = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
            return web.json_response(body, status=404)
        if request.method == "PUT":
            self.writes += 1
            fault = self.faults.pop(0) if self.faults else 0
            if not fault or self.done:
                change = await request.json()
                self.status = change.get("status", self.status)
                self.shipping |= change.get("shipping", {})
            if fault:
                return web.json_response({}, status=fault)
        order = {"id": 1001, "number": "1001", "status": self.status, "currency": "GBP", "shipping": self.shipping}
        return web.json_response(order)


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


class ShopifyStandIn:
    """Admin GraphQL with order #1001. Cancelling ends in the background, `background` looks later."""

    def __init__(self, fulfilment: str = "UNFULFILLED", background: int = 1, drop: bool = False) -> None:
        self.fulfilment, self.background, self.drop = fulfilment, background, drop
        self.cancelling, self.looks, self.mutations, self.notes = False, 0, 0, list[str]()
        self.requested: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.ignores_address = False
        self.address = {
            "firstName": "Asha", "lastName": "Rao", "phone": "+919876543210", "address1": "4 Old Road",
            "address2": None, "city": "Bengaluru", "province": "Karnataka", "provinceCode": "KA", "zip": "560001",
            "countryCodeV2": "IN",
        }  # fmt: skip

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-Shopify-Access-Token") != "shpat_1":
            return web.json_response({"errors": "[API] Invalid API key or access token"}, status=401)
        assert request.path == "/admin/api/2026-07/graphql.json"
        body = json.loads(await request.read())
        query, variables = body["query"], body["variables"]
        if query.startswith("query Find"):
            return web.json_response({"data": {"orders": {"nodes": self._orders(variables["name"])}}})
        if query.startswith("query Returnable"):
            lines = {"nodes": [line(1, "LAMP", 1), line(2, "KURTA", 2)]}
            nodes = [{"returnableFulfillmentLineItems": lines}]
            return web.json_response({"data": {"returnableFulfillments": {"nodes": nodes}}})
        if query.startswith("query GoesTo"):
            order = {"shippingAddress": self.address}
            others = [{"shippingAddress": None}, {"shippingAddress": {**self.address, **PUNE}}, order]
            return web.json_response({"data": {"order": order, "orders": {"nodes": others}}})
        self.mutations += 1
        if query.startswith("mutation Send"):
            assert set(variables["input"]) == {"id", "shippingAddress"}
            if not self.errors and not self.ignores_address:
                self.address |= variables["input"]["shippingAddress"]
            arrives = None if self.errors else {"shippingAddress": self.address}
            return self._sent(request, {"orderUpdate": {"order": arrives, "userErrors": self.errors}})
        if query.startswith("mutation Cancel"):
            self.cancelling = self.cancelling or not self.errors
            payload = {"job": {"id": "gid://shopify/Job/1"}, "orderCancelUserErrors": self.errors}
            return self._sent(request, {"orderCancel": payload})
        lines = variables["input"]["returnLineItems"]
        if not self.errors:
            self.requested.append({one["fulfillmentLineItemId"]: one["quantity"] for one in lines})
            self.notes += [one["customerNote"] for one in lines]
        made = None if self.errors else {"id": "gid://shopify/Return/1"}
        return self._sent(request, {"returnRequest": {"return": made, "userErrors": self.errors}})

    def _orders(self, name: str) -> list[dict[str, Any]]:
        self.looks += self.cancelling
        notes = [{"customerNote": note} for note in self.notes]
        order = {
            "id": "gid://shopify/Order/9", "name": "#1001", "displayFulfillmentStatus": self.fulfilment,
            "cancelledAt": "2026-11-29T10:00:00Z" if self.looks > self.background else None,
            "returns": {"nodes": [{"returnLineItems": {"nodes": notes}}] if notes else []},
        }  # fmt: skip
        near = {**order, "id": "gid://shopify/Order/8", "name": "#10011"}
        return [order, near] if name == 'name:"1001"' else []

    def _sent(self, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        if self.drop and request.transport is not None:
            self.drop = False
            request.transport.close()
        return web.json_response({"data": data})


PUNE = {"province": "Maharashtra", "provinceCode": "MH"}


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


def line(number: int, sku: str, quantity: int) -> dict[str, Any]:
    bought = {"id": f"gid://shopify/LineItem/{number}", "sku": sku}
    return {"quantity": quantity, "fulfillmentLineItem": {"id": f"F{number}", "lineItem": bought}}


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
