"""Shopify's Admin GraphQL API: orders are cancelled or sent elsewhere, returns requested, which the shop approves.

Shopify knows no idempotency keys here, so each attempt looks first whether it is done: a cancelled order says so, and
one that goes to the address already; a return bears the act's mark.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from actions.self_service.acts import ADDRESS, CANCEL, DONE, NOT_DONE, REFUSED, RETURNS, UNKNOWN, Act, Answer, plain
from actions.self_service.calling import call, no_answer, only_asked, trusted
from actions.self_service.postal import NOT_TOLD_APART, Postal, told_apart

VERSION = "2026-07"
NOT_LEFT = frozenset({"UNFULFILLED", "ON_HOLD", "SCHEDULED", "OPEN", "PENDING_FULFILLMENT"})
MAX_NOTE_CHARS = 300
MAX_STARTED = 1000
POLL_S = 1.0
FIND = """query Find($name: String!) { orders(first: 2, query: $name) { nodes {
  id name cancelledAt displayFulfillmentStatus
  returns(first: 20) { nodes { returnLineItems(first: 50) { nodes { ... on ReturnLineItem { customerNote } } } } }
} } }"""
CANCELS = """mutation Cancel($order: ID!, $note: String) {
  orderCancel(orderId: $order, reason: CUSTOMER, restock: true, notifyCustomer: false, staffNote: $note,
              refundMethod: {originalPaymentMethodsRefund: true}) {
    job { id } orderCancelUserErrors { code message } } }"""
RETURNABLE = """query Returnable($order: ID!) { returnableFulfillments(orderId: $order, first: 20) { nodes {
  returnableFulfillmentLineItems(first: 50) { nodes { quantity fulfillmentLineItem { id lineItem { id sku } } } }
} } }"""
GOES_TO = """query GoesTo($order: ID!) {
  order(id: $order) { shippingAddress {
    firstName lastName phone address1 address2 city provinceCode zip countryCodeV2 } }
  orders(first: 100, reverse: true) { nodes { shippingAddress { province provinceCode countryCodeV2 } } } }"""
SENDS = """mutation Send($input: OrderInput!) { orderUpdate(input: $input) {
  order { shippingAddress { address1 address2 city provinceCode zip } } userErrors { field message } } }"""
REQUESTS = """mutation Request($input: ReturnRequestInput!) {
  returnRequest(input: $input) { return { id } userErrors { code message } } }"""


class _SettledError(Exception):
    """The attempt ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.outcome)
        self.answer = answer


class Shopify:
    """Asks the shop at `url`, `https://{shop}.myshopify.com`; `secret` is its Admin API access token."""

    can = (CANCEL, ADDRESS, RETURNS)

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url.rstrip('/')}/admin/api/{VERSION}/graphql.json"
        self._headers = {"X-Shopify-Access-Token": secret, "Content-Type": "application/json"}
        self._started: dict[str, None] = {}
        trusted()

    async def attempt(self, act: Act) -> Answer:
        try:
            order = await self._found(act.order_id)
            does = {CANCEL: self._cancel, ADDRESS: self._send_elsewhere, RETURNS: self._request_return}
            return await does[act.action](act, order)
        except _SettledError as settled:
            return settled.answer

    async def _found(self, number: str) -> Mapping[str, Any]:
        quoted = number.replace("\\", "\\\\").replace('"', '\\"')
        orders = (await self._ask(FIND, {"name": f'name:"{quoted}"'}, asks_only=True)).get("orders")
        named = [order for order in _nodes(orders) if _same_name(order.get("name"), number)]
        if len(named) != 1 or not isinstance(named[0].get("id"), str):
            raise _SettledError(Answer(NOT_DONE, why="Shopify does not know this order", final=True))
        return named[0]

    async def _cancel(self, act: Act, order: Mapping[str, Any]) -> Answer:
        if order.get("cancelledAt"):
            return Answer(DONE)
        going_on = Answer(UNKNOWN, why="Shopify has not finished cancelling", wait_s=POLL_S)
        if act.key in self._started:
            return going_on
        if order.get("displayFulfillmentStatus") not in NOT_LEFT:
            return Answer(REFUSED)
        said = (await self._ask(CANCELS, {"order": order["id"], "note": f"WhatsApp {_mark(act)}"})).get("orderCancel")
        if _errors(said, "orderCancelUserErrors"):
            return Answer(REFUSED)
        self._started[act.key] = None
        while len(self._started) > MAX_STARTED:
            self._started.pop(next(iter(self._started)))
        return going_on  # it works in the background: the next attempt looks

    async def _send_elsewhere(self, act: Act, order: Mapping[str, Any]) -> Answer:
        if order.get("cancelledAt") or order.get("displayFulfillmentStatus") not in NOT_LEFT:
            return Answer(REFUSED)
        found = await self._ask(GOES_TO, {"order": order["id"]}, asks_only=True)
        today = _shipping(found.get("order"))
        if not today.get("address1") or not (country := today.get("countryCodeV2")):
            return Answer(NOT_DONE, why="Shopify has no delivery address for this order", final=True)
        # Shopify takes states by their codes: they are learnt from where the shop has delivered.
        there = [to for to in map(_shipping, _nodes(found.get("orders"))) if to.get("countryCodeV2") == country]
        states = {str(to["province"]): str(to["provinceCode"]) for to in there
                  if to.get("province") and to.get("provinceCode")}  # fmt: skip
        wanted = told_apart(act.details["address"], _postal(today), str(country), states)
        if wanted is None:
            return Answer(NOT_DONE, why=NOT_TOLD_APART, final=True)
        if _postal(today).same_as(wanted):
            return Answer(DONE)
        kept = {"countryCode": country, **{name: today.get(name) for name in ("firstName", "lastName", "phone")}}
        fields = {"address1": wanted.line1, "address2": wanted.line2, "city": wanted.city, "zip": wanted.postcode,
                  "provinceCode": wanted.state or None}  # fmt: skip
        wished = {"id": order["id"], "shippingAddress": {**kept, **fields}}
        said = (await self._ask(SENDS, {"input": wished})).get("orderUpdate") or {}
        if _errors(said, "userErrors"):
            return _turned_down(said["userErrors"])
        arrives = _postal(_shipping(said.get("order")))
        return Answer(DONE) if arrives.same_as(wanted) else Answer(UNKNOWN, why="it names another address")

    async def _request_return(self, act: Act, order: Mapping[str, Any]) -> Answer:
        notes = [line.get("customerNote") for one in _nodes(order.get("returns")) for line in
                 _nodes(one.get("returnLineItems"))]  # fmt: skip
        if any(_mark(act) in str(note) for note in notes):
            return Answer(DONE)
        lines = await self._lines(act, order["id"])
        wanted = {"orderId": order["id"], "returnLineItems": lines}
        said = (await self._ask(REQUESTS, {"input": wanted})).get("returnRequest")
        if _errors(said, "userErrors"):
            return Answer(REFUSED)
        made = said.get("return") if isinstance(said, dict) else None
        return Answer(DONE) if made else Answer(UNKNOWN, why="its answer is not understood")

    async def _lines(self, act: Act, order: str) -> list[dict[str, Any]]:
        """What is returned, as Shopify names it. Raises _SettledError where an item cannot be found in full."""
        found = (await self._ask(RETURNABLE, {"order": order}, asks_only=True)).get("returnableFulfillments")
        wanted = {str(item["item_id"]): int(item["quantity"]) for item in act.details.get("items") or []}
        note = f"{act.details.get('reason', '')} ({act.details.get('wish', '')})"
        note = f"{note[: MAX_NOTE_CHARS - 20]} {_mark(act)}"
        lines: list[dict[str, Any]] = []
        left = dict(wanted)
        for line, ids, quantity in _returnable(found):
            item = next((one for one in left if one in ids), None)
            if wanted and not (item and left[item]):
                continue
            taken = min(quantity, left[item]) if item else quantity
            if item:
                left[item] -= taken
            told = {"returnReason": "OTHER", "customerNote": note}
            lines.append({"fulfillmentLineItemId": line, "quantity": taken, **told})
        if any(left.values()) or not lines:
            raise _SettledError(Answer(NOT_DONE, why="Shopify does not list these items as returnable", final=True))
        return lines

    async def _ask(self, query: str, variables: dict[str, Any], asks_only: bool = False) -> Mapping[str, Any]:
        raw = json.dumps({"query": query, "variables": variables}).encode()
        answered = await call("POST", self._url, self._headers, raw)
        if not isinstance(answered, Answer):
            data = answered.content.get("data")
            if answered.status == 200 and isinstance(data, dict) and not answered.content.get("errors"):
                return data
            errors = answered.content.get("errors")
            code = _code(errors)
            turned_down = answered.status == 200 and code in ("THROTTLED", "ACCESS_DENIED")
            answered = Answer(NOT_DONE, why=code) if turned_down else no_answer(answered)
        raise _SettledError(only_asked(answered) if asks_only else answered)


def _same_name(name: Any, number: str) -> bool:
    return str(name).lstrip("#").casefold() == number.lstrip("#").casefold()


def _shipping(order: Any) -> Mapping[str, Any]:
    address = order.get("shippingAddress") if isinstance(order, dict) else None
    return address if isinstance(address, dict) else {}


def _postal(address: Mapping[str, Any]) -> Postal:
    return Postal(*(str(address.get(name) or "") for name in ("address1", "address2", "city", "provinceCode", "zip")))


def _turned_down(errors: list[Any]) -> Answer:
    """Why Shopify did not change the address: the address is none that it takes, else the order is none to change."""
    told = [error for error in errors if isinstance(error, dict)]
    if any("shippingAddress" in (error.get("field") or ()) for error in told):
        return Answer(NOT_DONE, why="Shopify does not take this address", final=True)
    return Answer(REFUSED, reason=plain(told[0].get("message")) if told else "")


def _mark(act: Act) -> str:
    """What an act is recognised by in a note."""
    return f"ref {hashlib.sha256(act.key.encode()).hexdigest()[:12]}"


def _nodes(connection: Any) -> list[Mapping[str, Any]]:
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def _errors(said: Any, name: str) -> bool:
    """Whether a mutation was turned down. Raises _SettledError for an answer that is none."""
    if not isinstance(said, dict) or not isinstance(said.get(name), list):
        raise _SettledError(Answer(UNKNOWN, why="its answer is not understood"))
    return bool(said[name])


def _code(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    return str(extensions.get("code") or "")[:40] if isinstance(extensions, dict) else ""


def _returnable(found: Any) -> Iterator[tuple[str, set[str], int]]:
    """(fulfilment line, the ids by which a shop's table may know its item, how many) of what can go back."""
    for fulfilment in _nodes(found):
        for line in _nodes(fulfilment.get("returnableFulfillmentLineItems")):
            item = line.get("fulfillmentLineItem")
            bought = item.get("lineItem") if isinstance(item, dict) else None
            if isinstance(bought, dict) and isinstance(item, dict) and isinstance(line.get("quantity"), int):
                gid = str(bought.get("id"))
                yield str(item.get("id")), {gid, gid.rsplit("/", 1)[-1], str(bought.get("sku"))}, line["quantity"]
