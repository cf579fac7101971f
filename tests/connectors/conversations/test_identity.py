"""Conversations follow the customer, and never pass to a stranger."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio

from connectors.conversations.identity import Address, Identities, IdentitiesUnavailable, Identity
from connectors.conversations.senders import e164
from connectors.message_bus.inbox import connect
from connectors.whatsapp.webhook.payloads import Message, parse_notification
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes, message, notification, value

PHONE, NEW_PHONE = "919812345670", "919812345671"
USER, NEW_USER = "IN.100", "IN.200"


@pytest.fixture
async def identities(redis_url: str) -> Any:
    client = connect(redis_url)
    yield Identities(client)
    await client.close()


def sent(wa_id: str | None = None, user_id: str | None = None, **parts: Any) -> Message:
    """A message that carries these ids."""
    body = {**message(parts.pop("kind", "text")), **parts}
    body = {k: v for k, v in {**body, "from": wa_id, "from_user_id": user_id}.items() if v is not None}
    return parse_notification(as_bytes(notification(value(body, contacts=[]))), OUR_NUMBER).messages[0]


def changed(kind: str = "user_changed_number", old: str | None = None, **system: Any) -> Message:
    """A system message about new ids."""
    return sent(old, None, kind="system", id="wamid.change", system={"type": kind, **system})


def shared(user_id: str, phone: str) -> Message:
    """The answer to our request for the phone."""
    card = {"phones": [{"phone": "+" + phone}]}
    return sent(None, user_id, kind="contacts", origin="contact_request", contacts=[card])


async def resolve(identities: Identities, *messages: Message) -> Identity:
    return (await identities.resolve(messages))[-1]


async def test_the_first_identity_seen_names_the_conversation(identities: Identities) -> None:
    assert await resolve(identities, sent(PHONE)) == Identity(PHONE, "+" + PHONE)
    assert await resolve(identities, sent(None, USER)) == Identity(USER, None)


async def test_a_conversation_begun_by_phone_goes_on_when_only_the_user_id_comes(identities: Identities) -> None:
    await resolve(identities, sent(PHONE))
    assert await resolve(identities, sent(PHONE, USER)) == Identity(PHONE, "+" + PHONE)
    assert await resolve(identities, sent(None, USER)) == Identity(PHONE, "+" + PHONE)


async def test_one_batch_learns_as_it_goes(identities: Identities) -> None:
    found = await identities.resolve([sent(PHONE, USER), sent(None, USER), sent(NEW_PHONE), sent(PHONE)])
    assert [each.customer for each in found] == [PHONE, PHONE, NEW_PHONE, PHONE]


async def test_a_changed_number_keeps_the_conversation(identities: Identities) -> None:
    await resolve(identities, sent(PHONE, USER))
    assert (await resolve(identities, changed(old=PHONE, wa_id=NEW_PHONE, user_id=NEW_USER))).customer == PHONE
    moved = Identity(PHONE, "+" + NEW_PHONE, former_phone="+" + PHONE)
    assert await resolve(identities, sent(NEW_PHONE, NEW_USER)) == moved
    await resolve(identities, sent(PHONE, "IN.300"))
    taken = "the former number is somebody else's by now"
    assert (await resolve(identities, sent(NEW_PHONE, NEW_USER))).former_phone is None, taken
    assert await identities.address(PHONE) == Address(NEW_PHONE, NEW_USER)


async def test_the_old_number_reaches_nobody_and_its_next_owner_starts_anew(identities: Identities) -> None:
    await resolve(identities, sent(PHONE))
    await resolve(identities, changed(old=PHONE, wa_id=NEW_PHONE))
    stranger = await resolve(identities, sent(PHONE))
    assert stranger.customer != PHONE
    assert stranger.phone == "+" + PHONE
    assert (await identities.address(PHONE)).wa_id == NEW_PHONE


async def test_a_number_with_another_user_id_is_another_person(identities: Identities) -> None:
    await resolve(identities, sent(PHONE, USER))
    assert (await resolve(identities, sent(PHONE, NEW_USER))).customer == NEW_USER
    assert await resolve(identities, sent(None, USER)) == Identity(PHONE, None)
    assert await identities.address(PHONE) == Address(None, USER)


async def test_a_change_delivered_again_does_not_move_the_numbers_next_owner(identities: Identities) -> None:
    change = changed(old=PHONE, wa_id=NEW_PHONE)
    await resolve(identities, sent(PHONE), change)
    stranger = (await resolve(identities, sent(PHONE))).customer
    assert (await resolve(identities, change)).customer == PHONE
    assert (await resolve(identities, sent(PHONE))).customer == stranger
    assert (await resolve(identities, sent(NEW_PHONE))).customer == PHONE


async def test_a_renewed_user_id_keeps_the_conversation(identities: Identities) -> None:
    await resolve(identities, sent(None, USER))
    change = changed("user_changed_user_id", user_id=NEW_USER, previous_user_id=USER)
    assert (await resolve(identities, change)).customer == USER
    assert (await resolve(identities, sent(None, NEW_USER))).customer == USER
    assert await identities.address(USER) == Address(None, NEW_USER)


async def test_a_late_message_under_the_old_user_id_changes_nothing(identities: Identities) -> None:
    await resolve(identities, sent(PHONE, USER))
    await resolve(identities, changed(old=PHONE, wa_id=NEW_PHONE, user_id=NEW_USER, previous_user_id=USER))
    assert (await resolve(identities, sent(PHONE, USER))).customer == PHONE
    assert await identities.address(PHONE) == Address(NEW_PHONE, NEW_USER)


async def test_a_change_of_somebody_unknown_is_harmless(identities: Identities) -> None:
    await resolve(identities, changed(old=PHONE, wa_id=NEW_PHONE))
    assert (await resolve(identities, sent(NEW_PHONE))).customer == NEW_PHONE


async def test_a_phone_shared_on_request_is_remembered(identities: Identities) -> None:
    assert (await resolve(identities, sent(None, USER))).phone is None
    assert (await resolve(identities, shared(USER, PHONE))).phone == "+" + PHONE
    assert await resolve(identities, sent(None, USER)) == Identity(USER, "+" + PHONE)


async def test_a_shared_phone_ends_when_somebody_else_writes_from_it(identities: Identities) -> None:
    await resolve(identities, shared(USER, PHONE))
    await resolve(identities, sent(PHONE, NEW_USER))
    assert (await resolve(identities, sent(None, USER))).phone is None


async def test_a_shared_phone_ends_when_somebody_else_shares_it(identities: Identities) -> None:
    await resolve(identities, shared(USER, PHONE))
    assert (await resolve(identities, shared(NEW_USER, PHONE))).phone == "+" + PHONE
    assert (await resolve(identities, sent(None, USER))).phone is None


@pytest.mark.parametrize("kind", ["user_changed_number", "user_changed_user_id"])
async def test_a_shared_phone_ends_with_the_ids_it_was_shared_under(identities: Identities, kind: str) -> None:
    await resolve(identities, shared(USER, PHONE))
    await resolve(identities, changed(kind, user_id=NEW_USER, previous_user_id=USER))
    assert await resolve(identities, sent(None, NEW_USER)) == Identity(USER, None)


async def test_concurrent_webhooks_agree_on_one_conversation(identities: Identities) -> None:
    found = await asyncio.gather(*(identities.resolve([sent(PHONE, USER), sent(None, USER)]) for _ in range(40)))
    assert {each.customer for batch in found for each in batch} == {PHONE}


async def test_an_erased_customer_leaves_nothing(identities: Identities, redis_url: str) -> None:
    await resolve(identities, sent(PHONE, USER), sent(None, NEW_USER), shared(NEW_USER, NEW_PHONE))
    assert await identities.forget(PHONE) == 3
    assert await identities.forget(NEW_USER) == 3
    client = redis.asyncio.from_url(redis_url)
    assert await client.keys("*") == []
    await client.close()


async def test_erasing_the_former_owner_of_a_number_leaves_the_new_one_alone(identities: Identities) -> None:
    await resolve(identities, sent(PHONE, USER), sent(PHONE, NEW_USER))
    await identities.forget(PHONE)
    assert (await resolve(identities, sent(PHONE))).customer == NEW_USER


async def test_ids_that_are_no_phone_numbers_give_no_phone(identities: Identities) -> None:
    assert await resolve(identities, sent("12")) == Identity("12", None)


@pytest.mark.parametrize(
    ("written", "phone"),
    [("919812345670", "+919812345670"), ("+91 98123-45670", "+919812345670"), ("5215512345678", "+525512345678"),
     ("12", None), ("919812345670x5", None), ("9" * 16, None), ("call me", None), ("", None), (None, None)],
)  # fmt: skip
def test_phones_are_written_one_way(written: str | None, phone: str | None) -> None:
    assert e164(written) == phone


async def test_without_redis_nothing_is_resolved() -> None:
    client = connect("redis://127.0.0.1:1/0")
    with pytest.raises(IdentitiesUnavailable):
        await Identities(client).resolve([sent(PHONE)])
    await client.close()
