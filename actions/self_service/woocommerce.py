"""WooCommerce's REST API (wc/v3): an order is cancelled by its status, and sent elsewhere by its shipping address.

It knows no returns: they stay tickets. It knows no idempotency keys either, but an order that is cancelled, or goes to
the address already, is seen to be so before it is touched.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from actions.self_service.acts import ADDRESS, CANCEL, DONE, NOT_DONE, REFUSED, UNKNOWN, Act, Answer
from actions.self_service.calling import Response, call, no_answer, only_asked, trusted
from actions.self_service.postal import NOT_TOLD_APART, Postal, told_apart

CANCELLED = "cancelled"
STILL_THERE = frozenset({"pending", "on-hold", "processing"})
NOT_UNDERSTOOD = Answer(UNKNOWN, why="its answer is not understood")
_FIELDS = ("address_1", "address_2", "city", "state", "postcode")


class WooCommerce:
    """Asks the shop at `url`; `secret` is its REST key and secret, `ck_…:cs_…`."""

    can = (CANCEL, ADDRESS)

    def __init__(self, url: str, secret: str) -> None:
        self._api = f"{url.rstrip('/')}/wp-json/wc/v3"
        basic = base64.b64encode(secret.encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        trusted()

    async def attempt(self, act: Act) -> Answer:
        if not (act.order_id.isascii() and act.order_id.isdigit()):
            return Answer(NOT_DONE, why="WooCommerce's ids are whole numbers, and this order's is none", final=True)
        seen = await self._order("GET", act.order_id)
        if isinstance(seen, Answer):
            return only_asked(seen)
        status = seen.get("status")
        if act.action == CANCEL and status == CANCELLED:
            return Answer(DONE)
        if status not in STILL_THERE:
            return Answer(REFUSED)
        return await (self._cancel(act) if act.action == CANCEL else self._send_elsewhere(act, seen))

    async def _cancel(self, act: Act) -> Answer:
        changed = await self._order("PUT", act.order_id, {"status": CANCELLED})
        if isinstance(changed, Answer):
            return changed
        return Answer(DONE) if changed.get("status") == CANCELLED else NOT_UNDERSTOOD

    async def _send_elsewhere(self, act: Act, seen: Mapping[str, Any]) -> Answer:
        shipping = seen.get("shipping")
        today, country = _postal(shipping), str(shipping.get("country") or "") if isinstance(shipping, dict) else ""
        if not today or not country:
            return Answer(NOT_DONE, why="WooCommerce has no delivery address for this order", final=True)
        answered = await self._asked("GET", f"data/countries/{quote(country, safe='')}")
        if isinstance(answered, Answer):
            return only_asked(answered)
        states = answered.content.get("states") or []
        listed = [one for one in states if isinstance(one, dict)] if isinstance(states, list) else []
        named = {str(one.get("name")): str(one.get("code")) for one in listed}
        wanted = told_apart(act.details["address"], today, country, named)
        if wanted is None:
            return Answer(NOT_DONE, why=NOT_TOLD_APART, final=True)
        if today.same_as(wanted):
            return Answer(DONE)
        values = (wanted.line1, wanted.line2, wanted.city, wanted.state, wanted.postcode)
        # The firm of today's address is not at the new one; name, country and phone stay.
        fields = {"company": "", **dict(zip(_FIELDS, values, strict=True))}
        changed = await self._order("PUT", act.order_id, {"shipping": fields})
        if isinstance(changed, Answer):
            return changed
        now = _postal(changed.get("shipping"))
        return Answer(DONE) if now and now.same_as(wanted) else NOT_UNDERSTOOD

    async def _order(self, method: str, number: str, change: Mapping[str, Any] | None = None) -> Any:
        answered = await self._asked(method, f"orders/{number}", change)
        if isinstance(answered, Answer):
            return answered
        order = answered.content
        return order if number in (str(order.get("id")), str(order.get("number"))) else NOT_UNDERSTOOD

    async def _asked(self, method: str, path: str, change: Mapping[str, Any] | None = None) -> Response | Answer:
        raw = json.dumps(change).encode() if change else b""
        answered = await call(method, f"{self._api}/{path}", self._headers, raw)
        return no_answer(answered) if isinstance(answered, Response) and answered.status != 200 else answered


def _postal(shipping: Any) -> Postal | None:
    """What an order's `shipping` says; None for an order that is delivered nowhere."""
    if not isinstance(shipping, dict) or not shipping.get("address_1"):
        return None
    return Postal(*(str(shipping.get(name) or "") for name in _FIELDS))
