"""Webhooks that arrive together are stored together, and each is acknowledged for what became of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.message_bus.inbox import InboxUnavailable
from connectors.whatsapp.webhook.gathering import MAX_STEPS, MAX_TOGETHER, Gathering
from connectors.whatsapp.webhook.payloads import Notification


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
    gathering = Gathering(store.take)
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(gathering.take(webhook(name))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    store.open.set()
    told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
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
        names = [f"w{number}" for number in range(MAX_STEPS)] + ["lost", "beside"]
        store = Store(lost=InboxUnavailable("away"))
        *alone, lost, beside = await posted(store, names)
        assert set(alone) == {None}
        assert isinstance(lost, InboxUnavailable)
        assert isinstance(beside, InboxUnavailable)
        gathering = Gathering(store.take)
        await gathering.take(webhook("later"))
        assert sorted(store.stored) == sorted([*names[:MAX_STEPS], "later"])

    asyncio.run(play())


def test_what_one_webhook_breaks_is_not_the_others_trouble() -> None:
    async def play() -> None:
        names = [f"w{number}" for number in range(MAX_STEPS)] + ["before", "odd", "behind"]
        told = await posted(Store(odd=KeyError("x")), names)
        assert [type(one) for one in told if one is not None] == [KeyError]
        assert isinstance(told[-2], KeyError)

    asyncio.run(play())


def test_who_hung_up_holds_nobody_up() -> None:
    async def play() -> None:
        store = Store()
        gathering = Gathering(store.take)
        tasks = [asyncio.create_task(gathering.take(webhook(f"w{number}"))) for number in range(MAX_STEPS + 3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[-1].cancel()
        store.open.set()
        told = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        assert sum(one is None for one in told) == len(tasks) - 2

    asyncio.run(play())


@pytest.mark.parametrize("carried", ["00-1-2-01"])
def test_a_traced_webhook_is_stored_by_itself(carried: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.whatsapp.webhook.gathering.tracing.carry", lambda: carried)

    async def play() -> None:
        store = Store()
        store.open.set()
        gathering = Gathering(store.take)
        await asyncio.gather(*(gathering.take(webhook(name)) for name in "abc"))
        assert store.calls == [("a",), ("b",), ("c",)]

    asyncio.run(play())
