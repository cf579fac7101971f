"""What the shop reports reaches its customer once, or not at all when it should not."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import shop
from actions.orders.models import Order, OrderStatus
from actions.orders.repository import OrderRepository, OrdersUnavailable
from connectors.conversations.identity import Identities
from connectors.message_bus import keys
from connectors.message_bus.inbox import Entry, Inbox, connect
from handoff.storage.database import Database
from handoff.storage.tables import shop_events
from handoff.updates import events as of_events
from handoff.updates.events import ShopEvent, ShopEvents
from shop import Shop
from worker.updates import ShopUpdates, message

NOW = 1_795_424_400.0
PHONE, CUSTOMER = "+919876543210", "919876543210"
ORDER = Order("10234", OrderStatus.SHIPPED, dt.date(2026, 11, 24), tracking_url="https://t.example/1")
UPDATES = {
    "order.shipped": {"text": "Order {order} left. Due {date}.", "template": ("order_shipped", "en")},
    "order.delivered": {"text": "Order {order} is there.", "template": None},
}


class World:
    """The worker's part with a real database and Redis, and an orders database that may be away."""

    def __init__(self, db: Database, client: Any) -> None:
        self.db, self.events, self.now = db, ShopEvents(db), NOW
        self.client, self.inbox, self.identities = client, Inbox(client), Identities(client)
        self.orders: dict[str, tuple[Order, str]] = {"10234": (ORDER, PHONE)}
        self.away = False

    def find(self, number: str) -> tuple[Order, str] | None:
        if self.away:
            raise OrdersUnavailable
        return self.orders.get(number)

    async def customer_of(self, digits: list[str]) -> str:
        return (await self.identities.of_phone(digits)).customer

    def updates(self, put: Any = None) -> ShopUpdates:
        return ShopUpdates(self.events, self.find, self.customer_of, put or self.inbox.put, lambda: self.now)

    def report(self, event_id: str = "e1", kind: str = "order.shipped", ago: float = 5, order: str = "10234") -> None:
        self.events.store(ShopEvent(event_id, kind, order, NOW - ago), self.now)

    async def told(self) -> list[Entry]:
        name = keys.inbox_stream(keys.partition_of(CUSTOMER))
        return [Entry.from_json(fields["e"]) for _, fields in await self.client.xrange(name)]


@pytest.fixture
async def world(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(shop, "load", lambda: Shop("Oak", updates=UPDATES))
    client = connect(redis_url)
    yield World(Database(f"sqlite:///{tmp_path / 'log.db'}"), client)
    await client.close()


async def test_an_event_becomes_one_entry_in_its_customers_inbox(world: World) -> None:
    world.report()
    for _ in range(3):
        await world.updates().round()
    [entry] = await world.told()
    assert (entry.kind, entry.customer, entry.id) == ("order_update", CUSTOMER, "update:e1")
    assert entry.payload["text"] == "Order #10234 left. Due Tue 24 Nov."
    assert entry.payload["template"]["parameters"] == ["#10234", "Tue 24 Nov", "https://t.example/1"]


async def test_a_worker_that_died_after_handing_over_does_not_tell_twice(world: World) -> None:
    async def dies(entries: list[Entry]) -> None:
        await world.inbox.put(entries)
        raise KeyboardInterrupt

    world.report()
    with pytest.raises(KeyboardInterrupt):
        await world.updates(dies).round()
    await world.updates().round()
    assert len(await world.told()) == 1
    assert world.events.due(NOW + 1) == []


async def test_what_two_workers_take_up_at_once_is_told_once_and_stays_as_it_was_told(world: World) -> None:
    async def slower(entries: list[Entry]) -> None:
        await world.updates().round()  # the other one, meanwhile
        await world.inbox.put(entries)

    world.report()
    [event] = world.events.due(NOW)
    await world.updates(slower).round()
    world.events.finish(event, "too_many", CUSTOMER, NOW)  # as one that counts what the other told
    assert len(await world.told()) == 1
    with world.db.read() as connection:
        assert connection.execute(sa.select(shop_events.c.outcome)).scalars().all() == ["notified"]


async def test_a_customer_who_is_known_by_another_form_of_the_number_is_the_same(world: World) -> None:
    from connectors.conversations.senders import Sender

    await world.identities.recipients([Sender("554112345678", None)])
    found = await world.identities.of_phone(["5541912345678", "554112345678"])
    assert found.customer == "554112345678"


@pytest.mark.parametrize(("reported", "kinds"), [
    ([("a", "order.shipped", 60), ("b", "order.delivered", 5)], ["order.delivered"]),
    ([("b", "order.delivered", 5), ("a", "order.shipped", 60)], ["order.delivered"]),
    ([("a", "order.cancelled", 5)], []),
    ([("a", "order.shipped", of_events.KEEP_S + 60)], []),
])
async def test_late_overtaken_and_unwanted_events_are_not_told(
    world: World, reported: list[tuple[str, str, float]], kinds: list[str]
) -> None:
    for event_id, kind, ago in reported:
        world.report(event_id, kind, ago)
        await world.updates().round() if kind == "order.delivered" else None
    await world.updates().round()
    assert [entry.payload["type"] for entry in await world.told()] == kinds


async def test_a_customer_is_told_so_many_times_a_day_and_no_more(world: World) -> None:
    for number in range(of_events.MAX_A_DAY + 2):
        world.orders[str(number)] = (ORDER, PHONE)
        world.report(f"e{number}", order=str(number))
    await world.updates().round()
    assert len(await world.told()) == of_events.MAX_A_DAY


async def test_at_night_it_waits_for_the_morning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = Shop("Oak", updates=UPDATES, quiet_hours="14:00-16:00", time_zone="Asia/Kolkata")  # it is 14:30 there
    monkeypatch.setattr(shop, "load", lambda: quiet)
    world.report()
    await world.updates().round()
    assert await world.told() == []
    world.now += 5400
    await world.updates().round()
    assert len(await world.told()) == 1


async def test_while_the_orders_database_is_away_nothing_is_lost_and_nothing_is_asked_too_often(world: World) -> None:
    world.away = True
    world.report()
    await world.updates().round()
    world.away = False
    assert await world.updates().round() == 0
    world.now += of_events.FIRST_RETRY_S
    await world.updates().round()
    assert len(await world.told()) == 1


async def test_an_order_that_nobody_knows_is_told_to_nobody(world: World) -> None:
    world.report(order="99999")
    await world.updates().round()
    assert await world.told() == []
    assert world.events.due(time.time()) == []


def test_what_is_not_known_of_an_order_is_not_told() -> None:
    said = message(Shop("Oak", updates=UPDATES), "order.shipped", Order("WC-1", OrderStatus.SHIPPED, None))
    assert said["text"] == "Order WC-1 left."
    assert said["template"]["parameters"] == ["WC-1", "", ""]


def test_an_update_is_made_in_each_language_of_the_shop_that_has_words_or_a_template_for_it() -> None:
    said = {"text": {"en": "Order {order} left. Due {date}.", "pt": "O pedido {order} saiu. Chega {date}."},
            "template": {"en": ("left", "en"), "hinglish": ("left", "en_IN")}}  # fmt: skip
    ours = Shop("Oak", languages=("en", "hinglish", "pt", "es"), updates={"order.shipped": said})
    made = message(ours, "order.shipped", ORDER)
    assert made["text"] == "Order #10234 left. Due Tue 24 Nov."
    assert set(made["in_languages"]) == {"hinglish", "pt"}
    portuguese, hinglish = made["in_languages"]["pt"], made["in_languages"]["hinglish"]
    assert portuguese["text"].startswith("O pedido #10234 saiu. Chega ter")
    assert portuguese["template"] == made["template"], "there is none in Portuguese"
    assert (hinglish["text"], hinglish["template"]["language"]) == (made["text"], "en_IN")


def test_an_update_in_one_language_is_that_one_whatever_the_shop_speaks() -> None:
    ours = Shop("Oak", languages=("es", "en"), updates={"order.shipped": {"text": {"pt": "Saiu."}, "template": None}})
    assert message(ours, "order.shipped", ORDER) == {
        "text": "Saiu.", "template": None, "order_number": "10234", "in_languages": {},
    }  # fmt: skip


def test_a_tracking_link_to_a_stranger_is_not_told() -> None:
    order = Order("WC-1", OrderStatus.SHIPPED, None, tracking_url="https://evil.example/1")
    updates = {"order.shipped": {"text": "Order {order} left. Follow it at {tracking}.", "template": ("shipped", "en")}}
    said = [message(Shop("Oak", updates=updates, links=links), "order.shipped", order) for links in (("dhl.com",), ())]
    assert [one["text"] for one in said] == [
        "Order WC-1 left.", "Order WC-1 left. Follow it at https://evil.example/1."
    ]
    assert [one["template"]["parameters"][2] for one in said] == ["", "https://evil.example/1"]


def test_the_shop_reports_of_exactly_one_order_with_its_phone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (order_id TEXT, customer_phone TEXT, status TEXT)")
        for row in [("10234", "098765 43210"), ("#10235", "+919812345670"), ("10236", "none"), ("7", "1"), ("07", "2")]:
            connection.exec_driver_sql("INSERT INTO orders VALUES (?, ?, 'shipped')", row)
    orders = OrderRepository(url)
    found = orders.reported("#10234")
    assert found is not None
    assert (found[0].number, found[1]) == ("10234", PHONE)
    assert orders.reported("10235") is not None
    assert [orders.reported(number) for number in ("10236", "10299", "", "x" * 90)] == [None] * 4
