"""WooCommerce's REST API (wc/v3): an order is cancelled by its status.

It knows no returns, and an address only in fields, which a customer's words are not: both stay tickets. It knows no
idempotency keys either, but an order that is cancelled is seen to be so before it is touched.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from actions.self_service.acts import CANCEL, DONE, NOT_DONE, REFUSED, UNKNOWN, Act, Answer
from actions.self_service.calling import Response, call, no_answer, only_asked, trusted

CANCELLED = "cancelled"
STILL_THERE = frozenset({"pending", "on-hold", "processing"})


class WooCommerce:
    """Asks the shop at `url`; `secret` is its REST key and secret, `ck_…:cs_…`."""

    can = (CANCEL,)

    def __init__(self, url: str, secret: str) -> None:
        self._orders = f"{url.rstrip('/')}/wp-json/wc/v3/orders"
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
        if status == CANCELLED:
            return Answer(DONE)
        if status not in STILL_THERE:
            return Answer(REFUSED)
        changed = await self._order("PUT", act.order_id, {"status": CANCELLED})
        if isinstance(changed, Answer):
            return changed
        done = changed.get("status") == CANCELLED
        return Answer(DONE) if done else Answer(UNKNOWN, why="its answer is not understood")

    async def _order(self, method: str, number: str, change: dict[str, str] | None = None) -> Any:
        raw = json.dumps(change).encode() if change else b""
        answered = await call(method, f"{self._orders}/{number}", self._headers, raw)
        if not isinstance(answered, Response):
            return answered
        if answered.status != 200:
            return no_answer(answered)
        order = answered.content
        if number not in (str(order.get("id")), str(order.get("number"))):
            return Answer(UNKNOWN, why="its answer is not understood")
        return order
