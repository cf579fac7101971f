"""A shop's own system, as the assistant may ask it to act: `POST /shop/orders/{order_id}/cancel|address|returns`.

It checks the signature, whose order it is, and the order's status in the demo's SQLite; does one `Idempotency-Key`
once and repeats its answer; and fails on request: `PUT /shop/faults {"faults": [name, ...]}` lets the next requests go
wrong in turn. `PUT /shop/locked {"locked": true}` locks the demo's orders database, so that nobody can read it.
`GET /shop/customers/{phone}/orders` shows a customer's orders to the desk and the phone's page, `GET /shop/acts` what
was done and how often it was asked for, `GET /shop/requests` every request.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

MOUNT = "/shop"
FAULTS = ("server_error", "done_but_server_error", "hang", "done_but_hang", "drop", "not_json", "unauthorized",
          "redirect")  # fmt: skip
HANG_S = 30.0
NOT_LEFT = ("placed", "confirmed", "packed")
ENDED = ("delivered", "cancelled", "returned", "refunded")
SENT_ALREADY = "It has been handed to the courier already."
NOT_DELIVERED = "It has not been delivered yet."
Told = tuple[int, dict[str, Any]]


@dataclass
class ShopSystem:
    """One shop. Without `orders_file` every order is everybody's, and can be cancelled, changed and returned."""

    secret: str
    orders_file: Path | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    """The shop's words for what an order is, and what they mean."""
    faults: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Order → the reason for which it is refused."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    acts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Idempotency-Key → {"action", "body", "asked"}: done once each."""
    _lock: sqlite3.Connection | None = None
    answers: dict[str, Told] = field(default_factory=dict)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(MOUNT + "/orders/{order_id}/{action}", self.act)
        app.router.add_get(MOUNT + "/customers/{phone}/orders", self.orders_of)
        app.router.add_put(f"{MOUNT}/faults", self.set_faults)
        app.router.add_get(f"{MOUNT}/locked", self.show_lock)
        app.router.add_put(f"{MOUNT}/locked", self.set_lock)
        app.router.add_get(f"{MOUNT}/acts", self.show_acts)
        app.router.add_get(f"{MOUNT}/requests", self.show_requests)

    async def set_faults(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not set(body.get("faults") or []) <= set(FAULTS):
            return web.json_response({"error": f"faults are of {', '.join(FAULTS)}"}, status=400)
        self.faults, self.refusals = list(body.get("faults") or []), dict(body.get("refusals") or {})
        return web.json_response({"faults": self.faults})

    async def show_lock(self, request: web.Request) -> web.Response:
        return web.json_response({"locked": self._lock is not None})

    async def set_lock(self, request: web.Request) -> web.Response:
        """SQLite's exclusive lock: readers wait, and then give up, as with a database that is down."""
        wished = bool((await request.json()).get("locked"))
        if wished and self._lock is None and self.orders_file is not None:
            self._lock = sqlite3.connect(self.orders_file, timeout=2, isolation_level=None)
            self._lock.execute("BEGIN EXCLUSIVE")
        elif not wished and self._lock is not None:
            self._lock.close()
            self._lock = None
        return await self.show_lock(request)

    async def show_acts(self, request: web.Request) -> web.Response:
        return web.json_response([{"key": key, **act} for key, act in self.acts.items()])

    async def show_requests(self, request: web.Request) -> web.Response:
        return web.json_response(self.requests)

    async def orders_of(self, request: web.Request) -> web.Response:
        """{"orders": [the columns of the orders table, "status" in our words, "items"], open ones first}."""
        phone = "+" + request.match_info["phone"].strip("+ ")
        try:
            return web.json_response({"orders": await asyncio.to_thread(self._orders_of, phone)})
        except sqlite3.Error as error:
            return web.json_response({"error": f"The orders cannot be read: {error}"}, status=503)

    def _orders_of(self, phone: str) -> list[dict[str, Any]]:
        if self.orders_file is None:
            return []
        with contextlib.closing(sqlite3.connect(self.orders_file, timeout=2)) as orders:
            orders.row_factory = sqlite3.Row
            found = orders.execute("SELECT * FROM orders WHERE customer_phone = ?", (phone,)).fetchall()
            titled = "SELECT title, quantity FROM order_items WHERE order_id = ?"
            rows = [
                {**row, "status": self.statuses.get(row["status"], row["status"]),
                 "items": [dict(item) for item in orders.execute(titled, (row["order_id"],))]}
                for row in map(dict, found)
            ]  # fmt: skip
        return sorted(rows, key=lambda row: (row["status"] in ENDED, str(row["order_id"])))

    async def act(self, request: web.Request) -> web.StreamResponse:
        """As the contract says; a fault may come before or after it is done."""
        raw = await request.read()
        mac = hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get("X-Shop-Signature-256", "").encode(), f"sha256={mac}".encode()):
            return web.json_response({"error": "wrong signature"}, status=401)
        order, action, body = request.match_info["order_id"], request.match_info["action"], json.loads(raw)
        key = request.headers.get("Idempotency-Key", "")
        self.requests.append({"path": request.raw_path, "key": key, "body": body})
        if not key or body.get("order_id") != order or action not in ("cancel", "address", "returns"):
            return web.json_response({"error": "not understood"}, status=400)
        fault = self.faults.pop(0) if self.faults else ""
        answer = (500, {}) if fault and not fault.startswith("done_but") else self._answer(key, order, action, body)
        return await self._sent(request, fault.removeprefix("done_but_"), answer)

    async def _sent(self, request: web.Request, fault: str, answer: Told) -> web.StreamResponse:
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault == "drop" and request.transport is not None:
            request.transport.close()
        if fault == "not_json":
            return web.Response(text="<html>\x00 sorry", status=409, content_type="text/html")
        if fault == "redirect":
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        status, body = {"unauthorized": (401, {}), "server_error": (500, {})}.get(fault, answer)
        return web.json_response(body, status=status)

    def _answer(self, key: str, order: str, action: str, body: dict[str, Any]) -> Told:
        if key not in self.answers:
            reason = self.refusals.get(order) or self._refused(order, action, body)
            self.answers[key] = (409, {"reason": reason}) if reason else (200, {"done": action})
            if not reason:
                self.acts[key] = {"action": action, "body": body, "asked": 0}
                self._do(order, action)
        if key in self.acts:
            self.acts[key]["asked"] += 1
        return self.answers[key]

    def _refused(self, order: str, action: str, body: dict[str, Any]) -> str | None:
        if self.orders_file is None:
            return None
        with contextlib.closing(sqlite3.connect(self.orders_file, timeout=2)) as orders:
            row = orders.execute("SELECT status, customer_phone FROM orders WHERE order_id = ?", (order,)).fetchone()
        if row is None or row[1] != body.get("requested_by"):
            return "There is no such order."
        status = self.statuses.get(row[0], row[0])
        if action == "returns":
            return None if status == "delivered" else NOT_DELIVERED
        return None if status in NOT_LEFT else SENT_ALREADY

    def _do(self, order: str, action: str) -> None:
        if action == "cancel" and self.orders_file is not None:
            with contextlib.closing(sqlite3.connect(self.orders_file, timeout=2)) as orders, orders:
                orders.execute("UPDATE orders SET status = 'cancelled' WHERE order_id = ?", (order,))


def make_shop_app(shop: ShopSystem) -> web.Application:
    """The shop's system alone, for tests."""
    app = web.Application()
    shop.add_to(app)
    return app
