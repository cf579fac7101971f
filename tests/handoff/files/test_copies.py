"""Customers' files that tickets link to: kept before WhatsApp deletes them, once, and not longer than said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from connectors.message_bus.sending.errors import BadPayload, MediaFailed, Transient
from connectors.whatsapp.graph.client import Media
from handoff.files.copies import DAY_S, Copies
from handoff.files.store import MediaStore, StoreUnavailable
from handoff.storage.database import Database
from handoff.storage.tables import media
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from tests.handoff.jobs.fake_helpdesk import CUSTOMER, NOW, Clock
from tests.handoff.samples import always_open, request
from worker.files import round_of

JPEG = b"\xff\xd8\xff\xe0 a torn parcel"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore.at((tmp_path / "media").as_uri())


@pytest.fixture
def copies(db: Database, store: MediaStore, clock: Clock) -> Copies:
    open_takeover(db, request(), now=NOW)
    return Copies(db, store, 1000, 30 * DAY_S, clock)


def sends(db: Database, media_id: str, name: str = "") -> None:
    message = CustomerMessage(f"wamid.{media_id}", "look", NOW, ((media_id, "image", name),))
    customer_said(db, CUSTOMER, message, always_open(), NOW)


def serving(content: bytes | Exception) -> Callable[[str, int], Any]:
    async def download(media_id: str, max_bytes: int) -> Media:
        if isinstance(content, Exception):
            raise content
        if len(content) > max_bytes:
            raise MediaFailed("media larger than allowed")
        return Media("image/jpeg", content)

    return download


def states(db: Database) -> list[tuple[str, str | None]]:
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(select(media.c.state, media.c.why))]


async def test_a_file_in_a_ticket_is_kept_once(db: Database, copies: Copies, store: MediaStore) -> None:
    sends(db, "111")
    sends(db, "111")
    assert await round_of(copies, serving(JPEG)) == 1
    assert await round_of(copies, serving(JPEG)) == 0
    found = copies.find("111")
    assert found is not None
    assert (found.state, found.content_type) == ("kept", "image/jpeg")
    assert copies.read("111", found) == JPEG


async def test_a_customers_folder_does_not_tell_who_it_is(db: Database, copies: Copies, tmp_path: Path) -> None:
    sends(db, "111", "passport of Asha.jpg")
    await round_of(copies, serving(JPEG))
    names = "".join(str(path.relative_to(tmp_path)) for path in (tmp_path / "media").rglob("*"))
    assert not [word for word in (CUSTOMER, "Asha", "111") if word in names]


@pytest.mark.parametrize(("content", "why"), [
    (b"<html><script>steal()</script>", "type"), (JPEG * 100, "too_large"),
], ids=["type", "too large"])  # fmt: skip
async def test_what_may_not_be_kept_is_not_and_never_asked_for_again(
    db: Database, copies: Copies, clock: Clock, content: bytes, why: str
) -> None:
    sends(db, "111", "photo.jpg")
    await round_of(copies, serving(content))
    assert states(db) == [("refused", why)]
    clock.now += DAY_S
    assert await round_of(copies, serving(content)) == 0


async def test_a_graph_that_is_away_is_asked_again_until_the_file_is_there(
    db: Database, copies: Copies, clock: Clock
) -> None:
    sends(db, "111")
    for _ in range(6):
        await round_of(copies, serving(Transient("away")))
        assert states(db) == [("pending", None)]
        clock.now += 3700
    await round_of(copies, serving(JPEG))
    assert states(db) == [("kept", None)]


async def test_a_file_that_whatsapp_does_not_know_is_given_up_after_a_few_tries(
    db: Database, copies: Copies, clock: Clock
) -> None:
    sends(db, "111")
    for _ in range(4):
        await round_of(copies, serving(BadPayload("no such object", code=100)))
        clock.now += 3700
    assert states(db) == [("refused", "gone")]


async def test_a_copy_that_was_claimed_by_a_worker_that_died_is_made_by_another(
    db: Database, store: MediaStore, copies: Copies, clock: Clock
) -> None:
    sends(db, "111")
    assert len(copies.due()) == 1  # and dies
    other = Copies(db, store, 1000, 30 * DAY_S, clock)
    assert other.due() == []
    clock.now += 130
    assert await round_of(other, serving(JPEG)) == 1
    assert states(db) == [("kept", None)]


async def test_a_customer_who_is_erased_while_their_file_comes_leaves_no_copy(
    db: Database, copies: Copies, store: MediaStore
) -> None:
    sends(db, "111")

    async def download(media_id: str, max_bytes: int) -> Media:
        with db.write() as connection:
            connection.execute(delete(media))
        return Media("image/jpeg", JPEG)

    await round_of(copies, download)
    assert store.read(CUSTOMER, "111") is None
    assert copies.find("111") is None


async def test_a_copy_is_deleted_when_its_time_is_over(
    db: Database, copies: Copies, store: MediaStore, clock: Clock
) -> None:
    sends(db, "111")
    await round_of(copies, serving(JPEG))
    clock.now += 29 * DAY_S
    copies.sweep()
    assert store.read(CUSTOMER, "111") == JPEG
    clock.now += 2 * DAY_S
    copies.sweep()
    assert store.read(CUSTOMER, "111") is None
    assert states(db) == []


async def test_a_store_that_deletes_nothing_keeps_neither_new_files_out_nor_others_in(
    db: Database, copies: Copies, store: MediaStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for media_id in ("111", "222"):
        sends(db, media_id)
    await round_of(copies, serving(JPEG))
    clock.now += 31 * DAY_S
    delete_it = store.delete

    def refuse_one(customer: str, media_id: str) -> None:
        if media_id == "111":
            raise StoreUnavailable("PermissionError")
        delete_it(customer, media_id)

    monkeypatch.setattr(store, "delete", refuse_one)
    assert copies.sweep() == 1
    assert (store.read(CUSTOMER, "111"), store.read(CUSTOMER, "222")) == (JPEG, None)
    assert states(db) == [("kept", None)]


async def test_without_a_store_files_are_noted_for_as_long_as_whatsapp_has_them(
    db: Database, copies: Copies, clock: Clock
) -> None:
    sends(db, "111")
    without = Copies(db, None, 1000, 30 * DAY_S, clock)
    assert await round_of(without, serving(JPEG)) == 0
    assert without.sweep() == 0
    clock.now += 8 * DAY_S
    assert without.sweep() == 1
    assert states(db) == []
