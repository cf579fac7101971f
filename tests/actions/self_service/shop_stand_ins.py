"""WooCommerce and Shopify as stand-ins that answer in the shapes of their documentation, and acts to ask them for."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from actions.self_service.acts import Act
from actions.self_service.performing import Performed, SelfService

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


def line(number: int, sku: str, quantity: int) -> dict[str, Any]:
    bought = {"id": f"gid://shopify/LineItem/{number}", "sku": sku}
    return {"quantity": quantity, "fulfillmentLineItem": {"id": f"F{number}", "lineItem": bought}}


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
