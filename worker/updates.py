"""The part of the worker that tells customers what the shop reports of their orders.

Each event is looked up in the orders database when it is due, so that what is told is true then, and handed to the
inbox of the order's customer. What a newer event has overtaken is dropped, and what comes late, or is too much a day.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import dates
import settings
import shop
import shop_updates
from actions.orders.models import Order
from actions.orders.numbers import named
from actions.orders.phones import written_forms
from actions.orders.repository import OrderRepository, OrdersUnavailable
from actions.orders.rows import RowReader
from connectors.conversations.identity import Identities, IdentitiesUnavailable
from connectors.message_bus.inbox import Entry, Inbox, InboxUnavailable, connect
from handoff.storage.database import Database, HandoffUnavailable
from handoff.updates.events import KEEP_S, MAX_A_DAY, ShopEvent, ShopEvents, quiet_until, retry_s
from privacy.outbound_links import AllowedLinks
from settings import Settings
from worker.pauses import rounds

log = logging.getLogger(__name__)

ROUND_S = 0.5
RETRY_S = 2.0

Find = Callable[[str], "tuple[Order, str] | None"]


class ShopUpdates:
    """Works off what is due. `find` looks an order up by its number, blocking; it raises OrdersUnavailable."""

    def __init__(
        self,
        events: ShopEvents,
        find: Find,
        customer_of: Callable[[list[str]], Awaitable[str]],
        put: Callable[[list[Entry]], Awaitable[Any]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._events, self._find, self._customer_of, self._put, self._clock = events, find, customer_of, put, clock

    async def round(self) -> int:
        """Take up what is due; how many events. Raises HandoffUnavailable, InboxUnavailable, IdentitiesUnavailable."""
        due = await asyncio.to_thread(self._events.due, self._clock())
        for event in due:
            await self._take(event)
        return len(due)

    async def _take(self, event: ShopEvent) -> None:
        ours, now = shop.load(), self._clock()
        reason = await asyncio.to_thread(self._reason_against, event, ours, now)
        if reason:
            await self._finish(event, reason)
            return
        quiet = quiet_until(ours, now)
        if quiet:
            await asyncio.to_thread(self._events.postpone, event, quiet)
            return
        try:
            found = await asyncio.to_thread(self._find, event.order_id)
        except OrdersUnavailable:
            await asyncio.to_thread(self._events.postpone, event, now + retry_s(event.attempts), failed=True)
            return
        if found is None:
            await self._finish(event, "no_such_order")
            return
        await self._tell(event, *found, ours, now)

    def _reason_against(self, event: ShopEvent, ours: shop.Shop, now: float) -> str | None:
        if event.type not in ours.updates:
            return "not_configured"
        if now - event.occurred_at > KEEP_S:
            return "late"
        return "overtaken" if self._events.is_overtaken(event) else None

    async def _tell(self, event: ShopEvent, order: Order, phone: str, ours: shop.Shop, now: float) -> None:
        digits = [form[1:] for form in written_forms(phone) if re.fullmatch(r"\+\d+", form)]
        customer = await self._customer_of(digits)
        if await asyncio.to_thread(self._events.notified_lately, customer, now) >= MAX_A_DAY:
            await self._finish(event, "too_many", customer)
            return
        payload = {**message(ours, event.type, order), "phone": phone, "type": event.type}
        await self._put([Entry("order_update", customer, f"update:{event.event_id}", payload)])
        await self._finish(event, "notified", customer)

    async def _finish(self, event: ShopEvent, outcome: str, customer: str | None = None) -> None:
        log.info("updates.event.finished type=%s outcome=%s", event.type, outcome)
        await asyncio.to_thread(self._events.finish, event, outcome, customer, self._clock())


def message(ours: shop.Shop, kind: str, order: Order) -> dict[str, Any]:
    """What is told of an event: the words, and the template with its parameters for who wrote long ago.

    In the shop's default language, and `in_languages` in the others: the one that the customer was answered in last is
    known where their conversation is.
    """
    default, *others = ours.languages
    said = ours.updates[kind]
    named_in = {language for one in said.values() if isinstance(one, Mapping) for language in one}
    told = {language: _told(ours, said, order, language) for language in others if language in named_in}
    return {**_told(ours, said, order, default), "order_number": order.number, "in_languages": told}


def _told(ours: shop.Shop, said: Mapping[str, Any], order: Order, language: str) -> dict[str, Any]:
    """The words and the template in one language, else in the shop's default, each with its facts in its own."""
    default = ours.languages[0]
    spoken = {name: language if isinstance(one, Mapping) and language in one else default for name, one in said.items()}
    words = shop_updates.in_language(said["text"], language, default)
    template = shop_updates.in_language(said["template"], language, default)
    if template:
        facts = _facts(ours, order, spoken["template"])
        parameters = [facts["order"], facts["date"] or "", facts["tracking"] or ""]
        template = {"name": template[0], "language": template[1], "parameters": parameters}
    return {"text": shop_updates.filled(words, _facts(ours, order, spoken["text"])), "template": template}


def _facts(ours: shop.Shop, order: Order, language: str) -> dict[str, str | None]:
    due = dates.near_day(order.estimated_delivery, language) if order.estimated_delivery else None
    tracking = order.tracking_url
    if tracking and ours.links and not _allowed(ours).permits(tracking):
        tracking = None
    return {
        "order": named(order.number), "date": due, "carrier": order.carrier, "tracking": tracking,
        "brand": ours.name,
    }  # fmt: skip


def _allowed(ours: shop.Shop) -> AllowedLinks:
    return AllowedLinks(ours.links, settings.load().shop_path / "policy_kb")


async def run(configured: Settings, stop: asyncio.Event) -> None:
    """Tell until `stop` is set."""
    ours = shop.load()
    reader = RowReader(ours.region, ours.time_zone, ours.orders.get("statuses") or {})
    orders = OrderRepository(configured.values["ORDERS_DATABASE_URL"] or "", reader)
    db = Database(configured.values["CONVERSATION_DATABASE_URL"] or "")
    client = connect(configured.redis_url or "")
    identities, inbox = Identities(client), Inbox(client)

    async def customer_of(digits: list[str]) -> str:
        return (await identities.of_phone(digits)).customer

    updates = ShopUpdates(ShopEvents(db), orders.reported, customer_of, inbox.put)
    try:
        away = (HandoffUnavailable, InboxUnavailable, IdentitiesUnavailable)
        await rounds(stop, updates.round, away, "updates.waits", ROUND_S, RETRY_S)
    finally:
        orders.close()
        db.close()
        await client.close()
