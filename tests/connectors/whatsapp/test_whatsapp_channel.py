"""The webhook over real HTTP: what is acknowledged is stored, and nothing unsigned is believed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sanic import Sanic

from connectors.message_bus.inbox import Entry, InboxUnavailable
from connectors.whatsapp.channel import WhatsAppChannel
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.protocol_guard import MAX_BODY_BYTES
from connectors.whatsapp.webhook.signature import sign
from tests.conftest import free_port
from tests.connectors.whatsapp.whatsapp_bodies import (
    OUR_NUMBER,
    USER_ID,
    WA_ID,
    as_bytes,
    message,
    notification,
    value,
)

# Sanic rewrites its own methods when an app starts; only in test mode can a second app start in the same process.
Sanic.test_mode = True

SECRET = "app-secret"


class FakeInbox:
    """Keeps what is put; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.records: list[dict[str, Any]] = []
        self.broken = False

    async def put(self, entries: Sequence[Entry], records: Sequence[dict[str, Any]] = ()) -> int:
        if self.broken:
            raise InboxUnavailable("down")
        json.dumps([entry.payload for entry in entries] + list(records), allow_nan=False)
        self.entries += entries
        self.records += records
        return len(entries)

    async def can_store(self) -> bool:
        return not self.broken


class Server:
    """A real Sanic server with the channel, in a thread of its own."""

    def __init__(self, redis_url: str) -> None:
        self.inbox = FakeInbox()
        self.is_ready = True
        self.port = free_port()
        self.app = Sanic(f"channel_{self.port}")
        credentials = {"verify_token": "let me in", "app_secret": SECRET, "access_token": "t"}
        credentials |= {"phone_number_id": OUR_NUMBER, "graph_url": "http://127.0.0.1:1", "redis_url": redis_url}
        channel = WhatsAppChannel.from_credentials(credentials)

        async def never(_: Any) -> None:
            raise AssertionError("the webhook must not start turns")

        self.app.blueprint(channel.blueprint(never), url_prefix="/webhooks/whatsapp")
        self.app.ctx.inbox = self.inbox
        self.app.ctx.ready = lambda: self.is_ready
        self.url = f"http://127.0.0.1:{self.port}/webhooks/whatsapp"
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(20)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(20)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await self.app.create_server(port=self.port, return_asyncio_server=True, access_log=False)
        assert server is not None
        await server.startup()
        await server.before_start()
        await server.after_start()
        self._started.set()
        await self._stopped.wait()
        await server.before_stop()
        await server.close()
        await server.after_stop()


@pytest.fixture(scope="module")
def running(redis_server_url: str) -> Iterator[Server]:
    server = Server(redis_server_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: Server, redis_url: str) -> Server:
    running.inbox.entries, running.inbox.records, running.inbox.broken = [], [], False
    running.is_ready = True
    return running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http: aiohttp.ClientSession, server: Server, body: Any, **headers: str) -> tuple[int, str]:
    raw = body if isinstance(body, bytes) else as_bytes(body)
    signed = {"X-Hub-Signature-256": sign(raw, SECRET), "Content-Type": "application/json", **headers}
    async with http.post(server.url + "/webhook", data=raw, headers=signed) as response:
        return response.status, await response.text()


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
            started = time.perf_counter()
            async with http.get(server.url + "/") as response:
                await response.read()
            beats.append(time.perf_counter() - started)
            await asyncio.sleep(0.005)

    heart = asyncio.create_task(pulse())
    assert (await post(http, server, body))[0] == 200
    heart.cancel()
    assert [entry.id for entry in server.inbox.entries] == [f"wamid.{n}" for n in range(1000)]
    assert max(beats) < 1.0


@pytest.mark.parametrize("header", [None, "sha256=" + "0" * 64, "nonsense", "sha1=abc", "sha256=" + "A" * 64])
async def test_an_unsigned_body_is_refused_unread(
    http: aiohttp.ClientSession, server: Server, header: str | None
) -> None:
    for body in (as_bytes(notification(value(message()))), b"{not json"):
        headers = {"X-Hub-Signature-256": header} if header else {}
        async with http.post(server.url + "/webhook", data=body, headers=headers) as response:
            assert response.status == 401
    assert server.inbox.entries == []


async def test_two_signatures_are_refused(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    headers = [("X-Hub-Signature-256", sign(body, SECRET)), ("X-Hub-Signature-256", "sha256=" + "0" * 64)]
    async with http.post(server.url + "/webhook", data=body, headers=headers) as response:
        assert response.status == 401


async def test_a_signature_over_the_reformatted_body_is_refused(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    reformatted = json.dumps(json.loads(body), indent=1).encode()
    assert (await post(http, server, body, **{"X-Hub-Signature-256": sign(reformatted, SECRET)}))[0] == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 200_000, b'{"a": Infinity}', b"\xef\xbb\xbf{}"],
    ids=["empty", "cut off", "not UTF-8", "nested without end", "infinity", "byte order mark"],
)
async def test_a_signed_body_that_is_no_json_is_a_bad_request(
    http: aiohttp.ClientSession, server: Server, body: bytes
) -> None:
    assert (await post(http, server, body))[0] == 400


async def test_three_mebibytes_are_taken_and_one_byte_more_is_not(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))
    full = body + b" " * (MAX_BODY_BYTES - len(body))
    assert (await post(http, server, full))[0] == 200
    assert (await post(http, server, full + b" "))[0] == 413
    assert len(server.inbox.entries) == 1


async def test_a_sender_who_reads_only_after_sending_all_gets_the_answer_too(server: Server) -> None:
    body = b"x" * 8_000_000
    for head in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
        chunked = head.startswith("Transfer")
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        assert b" 413 " in await raw_request(server, head, sent)


async def raw_request(server: Server, head: str, *chunks: bytes) -> bytes:
    """Send bytes as they are; the start of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(f"POST /webhooks/whatsapp/webhook HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        return await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()


async def test_too_large_a_body_is_refused_before_it_is_sent(server: Server) -> None:
    assert b" 413 " in await raw_request(server, "Content-Length: 99000000")


async def test_a_body_of_unannounced_length_is_read_no_further_than_the_limit(server: Server) -> None:
    chunk = b"%x\r\n" % 1_000_000 + b"x" * 1_000_000 + b"\r\n"
    assert b" 413 " in await raw_request(server, "Transfer-Encoding: chunked", chunk, chunk, chunk, chunk)


@pytest.mark.parametrize("length", ["-5", "abc", "", "5\r\nContent-Length: 6", "\u0665"])
async def test_a_senseless_length_is_refused_and_the_server_lives_on(
    http: aiohttp.ClientSession, server: Server, length: str
) -> None:
    assert b" 400 " in await raw_request(server, f"Content-Length: {length}", b"0123456789")
    async with http.get(server.url + "/", timeout=aiohttp.ClientTimeout(total=5)) as response:
        assert response.status == 200


async def test_an_undecodable_signature_is_refused(server: Server) -> None:
    assert b" 401 " in await raw_request(server, "Content-Length: 2\r\nX-Hub-Signature-256: sha256=\xe9", b"{}")


async def test_a_chunked_body_is_welcome(http: aiohttp.ClientSession, server: Server) -> None:
    body = as_bytes(notification(value(message())))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50):
            yield body[start : start + 50]

    headers = {"X-Hub-Signature-256": sign(body, SECRET)}
    async with http.post(server.url + "/webhook", data=pieces(), headers=headers) as response:
        assert response.status == 200
    assert len(server.inbox.entries) == 1


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


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode).map(lambda text: b'{"entry":' + text + b"}"))
def test_signed_garbage_is_never_a_server_error(running: Server, body: bytes) -> None:
    async def send() -> int:
        async with aiohttp.ClientSession() as session:
            return (await post(session, running, body))[0]

    assert asyncio.run(send()) in (200, 400)


@pytest.mark.parametrize("credentials", [None, {}, {"verify_token": "x", "app_secret": " "}])
def test_missing_credentials_are_named(credentials: dict[str, str] | None) -> None:
    with pytest.raises(ValueError, match=r"app_secret, access_token"):
        WhatsAppChannel.from_credentials(credentials)
