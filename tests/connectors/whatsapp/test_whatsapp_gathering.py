"""Webhooks that arrive together are stored together, and each is acknowledged for what became of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.webhooks import PHONE_NUMBER_ID, notification, text_message
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.inbox import InboxUnavailable
from connectors.whatsapp.webhook.gathering import MAX_STEPS, MAX_TOGETHER, Gathering
from connectors.whatsapp.webhook.payloads import Notification, parse_notification


def webhook(name: str) -> Notification:
    return Notification(others=(name,), errors=({"code": name},))


class Store:
    """Stores what it is given once it is let; the names in `broken` make it raise."""

    def __init__(self, **broken: Exception) -> None:
        self.broken, self.calls, self.open = broken, [], asyncio.Event()
        self.stored: list[str] = []

    async def take(self, notification: Notification) -> int:
        self.calls.append(notification.others)
        await self.open.wait()
        assert [error["code"] for error in notification.errors] == list(notification.others)
        for name in notification.others:
            if name in self.broken:
                raise self.broken[name]
        self.stored += notification.others
        return len(notification.others)


async def posted(store: Store, names: list[str]) -> list[Any]:
    """What each webhook was told, all posted while the first steps are under way."""
    gathering = Gathering(store.take, Arrivals())
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(gathering.take(webhook(name))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    store.open.set()
    told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
    await asyncio.wait_for(asyncio.gather(*gathering._steps), 20)  # one that began late gathers in vain
    assert not gathering._steps
    return told


def test_what_comes_while_a_step_is_under_way_goes_with_one_step_more() -> None:
    async def play() -> None:
        store, names = Store(), [f"w{number}" for number in range(MAX_TOGETHER + 50)]
        assert set(await posted(store, names)) == {None}
        assert sorted(store.stored) == sorted(names)
        assert len(store.calls) <= MAX_STEPS + 2
        assert max(map(len, store.calls)) <= MAX_TOGETHER

    asyncio.run(play())


def test_when_nothing_can_be_stored_every_webhook_of_the_step_hears_it_and_the_next_step_is_tried() -> None:
    async def play() -> None:
        names = ["first", "lost", "beside"]
        store = Store(lost=InboxUnavailable("away"))
        *alone, lost, beside = await posted(store, names)
        assert set(alone) == {None}
        assert isinstance(lost, InboxUnavailable)
        assert isinstance(beside, InboxUnavailable)
        gathering = Gathering(store.take, Arrivals())
        await gathering.take(webhook("later"))
        assert sorted(store.stored) == ["first", "later"]

    asyncio.run(play())


def test_what_one_webhook_breaks_is_not_the_others_trouble() -> None:
    async def play() -> None:
        names = ["first", "before", "odd", "behind"]
        told = await posted(Store(odd=KeyError("x")), names)
        assert [type(one) for one in told if one is not None] == [KeyError]
        assert isinstance(told[-2], KeyError)

    asyncio.run(play())


def test_a_step_that_hangs_holds_up_no_other() -> None:
    async def play() -> None:
        hangs = asyncio.Event()

        async def take(notification: Notification) -> int:
            if notification.others == ("w0",):
                await hangs.wait()
            return 1

        gathering = Gathering(take, Arrivals())
        first = asyncio.create_task(gathering.take(webhook("w0")))
        while gathering._waiting or not gathering._steps:
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*(gathering.take(webhook(f"w{number}")) for number in (1, 2, 3))), 20)
        assert not first.done()
        hangs.set()
        await first

    asyncio.run(play())


def test_who_hung_up_holds_nobody_up() -> None:
    async def play() -> None:
        store = Store()
        gathering = Gathering(store.take, Arrivals())
        tasks = [asyncio.create_task(gathering.take(webhook(f"w{number}"))) for number in range(MAX_STEPS + 3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[-1].cancel()
        store.open.set()
        told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        assert sum(one is None for one in told) == len(tasks) - 2

    asyncio.run(play())


def test_traced_webhooks_go_together_and_each_message_carries_its_own_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    traces = iter(f"00-{number:032x}-{number:016x}-01" for number in range(1, 100))
    monkeypatch.setattr("connectors.whatsapp.webhook.gathering.tracing.carry", lambda: next(traces))
    taken: list[Notification] = []

    async def take(notification: Notification) -> int:
        taken.append(notification)
        await asyncio.sleep(0)
        return 1

    async def play() -> None:
        gathering = Gathering(take, Arrivals())
        bodies = [notification([text_message("91", f"w{number}", "hi")]) for number in range(MAX_STEPS + 3)]
        parsed = [parse_notification(body, PHONE_NUMBER_ID) for body in bodies]
        await asyncio.gather(*map(gathering.take, parsed))

    asyncio.run(play())
    carried = {message.id: message.trace for one in taken for message in one.messages}
    assert len(taken) < len(carried) == MAX_STEPS + 3
    assert carried == {f"w{number}": f"00-{number + 1:032x}-{number + 1:016x}-01" for number in range(MAX_STEPS + 3)}
