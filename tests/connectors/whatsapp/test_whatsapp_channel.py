"""The webhook over real HTTP: what is acknowledged is stored, and nothing unsigned is believed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from connectors.whatsapp.channel import WhatsAppChannel
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from tests.connectors.whatsapp.channel_server import SECRET, Server, post
from tests.connectors.whatsapp.whatsapp_bodies import (
    USER_ID,
    WA_ID,
    as_bytes,
    message,
    notification,
    value,
)
from tests.costs import fixed_work, processor_time


async def test_a_signed_message_is_stored_and_acknowledged(http: aiohttp.ClientSession, server: Server) -> None:
    before = time.time()
    assert await post(http, server, notification(value(message()))) == (200, "OK")
    (entry,) = server.inbox.entries
    assert (entry.kind, entry.customer, entry.id) == ("message", WA_ID, "wamid.A1")
    assert entry.payload["text"] == "Where is my parcel?"
    metadata = entry.payload["metadata"]
    assert before <= metadata.pop("received_at") <= time.time()
    assert metadata == {
        "wamid": "wamid.A1", "customer": WA_ID, "wa_id": WA_ID, "user_id": None, "phone": "+" + WA_ID,
        "profile_name": "Meera", "kind": "text", "timestamp": 1790000000, "typed": "Where is my parcel?",
        "reply_to": None, "media": [],
    }  # fmt: skip


async def test_only_our_own_button_ids_become_payloads(http: aiohttp.ClientSession, server: Server) -> None:
    signer = PayloadSigner(SECRET)
    ours, anothers = (signer.sign_payload(customer, "/affirm") for customer in (WA_ID, "910000000000"))
    taps = [{"id": reply_id, "title": "Yes"} for reply_id in (ours, anothers, "/affirm", "/affirm~x")]
    replies = [
        message("interactive", f"wamid.{n}", interactive={"type": "button_reply", "button_reply": tap})
        for n, tap in enumerate(taps)
    ]
    await post(http, server, notification(value(*replies)))
    assert [entry.payload["text"] for entry in server.inbox.entries] == ["/affirm", "Yes", "Yes", "Yes"]
    assert {entry.payload["metadata"]["typed"] for entry in server.inbox.entries} == {"Yes"}


async def test_statuses_and_reactions_are_recorded_without_a_turn_and_errors_of_the_account_logged(
    http: aiohttp.ClientSession, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    status = {"id": "wamid.out", "status": "delivered", "timestamp": "1790000002"}
    reaction = message("reaction", reaction={"message_id": "wamid.out", "emoji": "👍"})
    body = notification(value(reaction, statuses=[status], errors=[{"code": 130429, "title": "Rate limit hit"}]))
    assert (await post(http, server, body))[0] == 200
    assert server.inbox.entries == []
    by_kind = {record["record"]: record for record in server.inbox.records}
    assert by_kind["status"]["wamid"] == "wamid.out"
    assert (by_kind["inbound"]["customer"], by_kind["inbound"]["text"]) == (WA_ID, "👍")
    assert "whatsapp.account.error code=130429 title=Rate limit hit" in caplog.text


async def test_a_phone_shared_on_our_request_authorises_the_next_message(
    http: aiohttp.ClientSession, server: Server
) -> None:
    def hidden(kind: str, wamid: str, **parts: Any) -> dict[str, Any]:
        sent = {**message(kind, wamid, **parts), "from_user_id": USER_ID}
        del sent["from"]
        return sent

    card = hidden("contacts", "wamid.2", origin="contact_request", contacts=[{"phones": [{"phone": "+" + WA_ID}]}])
    batch = value(hidden("text", "wamid.1"), card, hidden("text", "wamid.3"), contacts=[])
    await post(http, server, notification(batch))
    assert [entry.payload["metadata"]["phone"] for entry in server.inbox.entries] == [None, "+" + WA_ID, "+" + WA_ID]


async def test_a_batch_of_a_thousand_is_stored_in_one_step(http: aiohttp.ClientSession, server: Server) -> None:
    messages = [
        message(wamid=f"wamid.{n}", sender=f"9198{n % 50:08d}", text={"body": "x" * 2500}) for n in range(1000)
    ]
    body = as_bytes(notification(value(*messages, contacts=[])))
    assert len(body) > 2_500_000
    beats: list[float] = []

    async def pulse() -> None:
        while True:
            started = time.process_time()  # of the server too, on a thread
            async with http.get(server.url + "/") as response:
                await response.read()
            beats.append(time.process_time() - started)
            await asyncio.sleep(0.005)

    heart = asyncio.create_task(pulse())
    assert (await post(http, server, body))[0] == 200
    heart.cancel()
    assert [entry.id for entry in server.inbox.entries] == [f"wamid.{n}" for n in range(1000)]
    assert max(beats) < 500 * processor_time(fixed_work), "whatever else is asked meanwhile waits as long"


async def test_what_cannot_be_stored_is_not_acknowledged(http: aiohttp.ClientSession, server: Server) -> None:
    server.inbox.broken = True
    assert (await post(http, server, notification(value(message()))))[0] == 503
    server.inbox.broken = False
    assert (await post(http, server, notification(value(message()))))[0] == 200


async def test_before_there_is_an_inbox_nothing_is_acknowledged(http: aiohttp.ClientSession, server: Server) -> None:
    server.app.ctx.inbox = None
    try:
        assert (await post(http, server, notification(value(message()))))[0] == 503
        async with http.get(server.url + "/") as response:
            assert response.status == 503
    finally:
        server.app.ctx.inbox = server.inbox


async def test_health_tells_whether_turns_can_be_taken(http: aiohttp.ClientSession, server: Server) -> None:
    async with http.get(server.url + "/") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    server.is_ready = False
    async with http.get(server.url + "/") as response:
        assert (response.status, await response.json()) == (503, {"status": "starting"})
    server.is_ready, server.inbox.broken = True, True
    async with http.get(server.url + "/") as response:
        assert (response.status, await response.json()) == (503, {"status": "cannot store messages"})


async def test_whatever_keeps_a_message_from_being_stored_meta_is_asked_to_deliver_it_again(
    http: aiohttp.ClientSession, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("a kind of failure that nobody thought of")

    monkeypatch.setattr(server.inbox, "put", fail)
    assert (await post(http, server, notification(value(message()))))[0] == 503


RIGHT = {"hub.mode": "subscribe", "hub.verify_token": "let me in", "hub.challenge": "<b>1158201444</b>"}


async def test_metas_handshake_is_answered_with_its_challenge_as_text(
    http: aiohttp.ClientSession, server: Server
) -> None:
    async with http.get(server.url + "/webhook", params=RIGHT) as response:
        assert (response.status, await response.text()) == (200, "<b>1158201444</b>")
        assert response.content_type == "text/plain"


@pytest.mark.parametrize(
    "wrong",
    [{"hub.verify_token": "guess"}, {"hub.verify_token": "é"}, {"hub.mode": "unsubscribe"}, {"hub.verify_token": None},
     {"hub.mode": None}, {"hub.challenge": None}],
)  # fmt: skip
async def test_a_wrong_handshake_is_forbidden(
    http: aiohttp.ClientSession, server: Server, wrong: dict[str, str | None]
) -> None:
    params = {name: value for name, value in {**RIGHT, **wrong}.items() if value is not None}
    async with http.get(server.url + "/webhook", params=params) as response:
        assert response.status == 403


async def test_no_secret_and_no_words_are_logged(
    http: aiohttp.ClientSession, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await post(http, server, notification(value(message(), errors=[{"code": 1, "title": WA_ID}])))
    await post(http, server, b"{", **{"X-Hub-Signature-256": "sha256=" + "0" * 64})
    assert "whatsapp.webhook.unsigned" in caplog.text
    assert not any(word in caplog.text for word in (SECRET, "let me in", "parcel", WA_ID))


@pytest.mark.parametrize("credentials", [None, {}, {"verify_token": "x", "app_secret": " "}])
def test_missing_credentials_are_named(credentials: dict[str, str] | None) -> None:
    with pytest.raises(ValueError, match=r"app_secret, access_token"):
        WhatsAppChannel.from_credentials(credentials)
