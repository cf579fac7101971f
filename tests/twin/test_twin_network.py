"""The twin as Meta: signed notifications, redelivery, statuses, the 24-hour window, and faults on demand."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

import settings
from tests.twin.standin import ASHA, NUMBER, SECRET, TOKEN, RunningTwin, messages_of, values_of
from twin.whatsapp.webhooks import encode, signature
from workbench.doctor import meta
from workbench.shop_check.credentials import credential_findings

KIRAN = "IN.8842017365520194"


async def test_a_text_arrives_signed_as_meta_writes_it(twin: RunningTwin) -> None:
    wamid = await twin.write(text="नमस्ते / hi")
    await twin.until(lambda: twin.assistant.messages)
    value = values_of(twin.assistant.bodies)[0]
    message = value["messages"][0]
    assert twin.assistant.bodies[0]["object"] == "whatsapp_business_account"
    assert value["metadata"]["phone_number_id"] == "555000111"
    assert value["contacts"][0]["wa_id"] == message["from"] == "919876543210"
    assert (message["id"], message["type"], message["text"]["body"]) == (wamid, "text", "नमस्ते / hi")
    assert abs(int(message["timestamp"]) - time.time()) < 5
    assert b"\\u0928" in twin.assistant.raws[0]
    assert b"\\/ hi" in twin.assistant.raws[0]


def test_the_signature_is_hmac_sha256_in_hexadecimal() -> None:
    assert signature("key", b"The quick brown fox jumps over the lazy dog") == (
        "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


def test_what_is_signed_is_ascii_and_reads_back_the_same() -> None:
    body = {"text": "ünï 😀 \ud83d </script>"}
    raw = encode(body)
    assert raw.isascii()
    assert json.loads(raw) == body


@pytest.mark.parametrize("status", [500, 503, 404, 204, 401])
async def test_anything_but_200_is_delivered_again(twin: RunningTwin, status: int) -> None:
    twin.assistant.statuses = [status, status]
    await twin.write(text="hello")
    await twin.until(lambda: twin.assistant.messages)
    report = await twin.get("/control/webhooks")
    assert report["statuses"] == {str(status): 2, "200": 1}
    assert report["pending"] == 0


async def test_a_redelivered_notification_is_the_same_to_the_byte(twin: RunningTwin) -> None:
    await twin.write(text="once", copies=2)
    await twin.until(lambda: len(twin.assistant.raws) == 2)
    assert twin.assistant.raws[0] == twin.assistant.raws[1]


async def test_messages_of_one_customer_stay_in_order_through_an_outage(twin: RunningTwin) -> None:
    twin.assistant.statuses = [503, 503, 503]
    for n in range(5):
        await twin.write(text=str(n))
    await twin.until(lambda: len(twin.assistant.messages) == 5)
    assert [message["text"]["body"] for message in twin.assistant.messages] == list("01234")


async def test_another_customers_outage_delays_nobody(twin: RunningTwin) -> None:
    twin.network.webhooks.first_retry_s = 5
    twin.assistant.statuses = [503]
    await twin.write(text="first")
    await twin.until(lambda: not twin.assistant.statuses)
    await twin.write(customer="+919000000002", text="second")
    await twin.until(lambda: twin.assistant.messages, seconds=1)
    assert twin.assistant.messages[0]["text"]["body"] == "second"


async def test_a_batch_is_one_notification(twin: RunningTwin) -> None:
    entries = [{"customer": f"+9190000000{n:02}", "kind": "text", "text": str(n)} for n in range(20)]
    status, answer = await twin.post("/control/batch", messages=entries)
    await twin.until(lambda: twin.assistant.bodies)
    assert status == 200
    assert [message["id"] for message in messages_of(twin.assistant.bodies[:1])] == answer["wamids"]


async def test_a_wrong_signature_can_be_tried(twin: RunningTwin) -> None:
    _, answer = await twin.post("/control/webhook", body={"object": "x"}, signature="sha256=00")
    assert answer["status"] == 401


async def test_the_handshake_asks_for_its_challenge_back(twin: RunningTwin) -> None:
    assert await twin.post("/control/verify", token=TOKEN) == (200, {"status": 200, "echoed": True})
    assert await twin.post("/control/verify", token="another") == (200, {"status": 403, "echoed": False})


async def test_an_answer_is_accepted_as_meta_does_and_its_statuses_follow(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    status, answer = await twin.assistant.text(ASHA, "hello", biz_opaque_callback_data="wamid.1:0")
    assert status == 200
    assert answer["contacts"] == [{"input": ASHA, "wa_id": "919876543210"}]
    wamid = answer["messages"][0]["id"]
    await twin.until(lambda: len(twin.assistant.delivery_statuses) == 3)
    told = twin.assistant.delivery_statuses
    assert [entry["status"] for entry in told] == ["sent", "delivered", "read"]
    assert {entry["id"] for entry in told} == {wamid}
    assert {entry["biz_opaque_callback_data"] for entry in told} == {"wamid.1:0"}
    assert {entry["recipient_id"] for entry in told} == {"919876543210"}


async def test_statuses_can_come_in_another_order(twin: RunningTwin) -> None:
    await twin.post("/control/habits", statuses=["read", "sent"], status_delay_s=0.01)
    await twin.write(text="hi")
    await twin.assistant.text(ASHA, "hello")
    await twin.until(lambda: len(twin.assistant.delivery_statuses) == 2)
    assert [entry["status"] for entry in twin.assistant.delivery_statuses] == ["read", "sent"]


async def test_somebody_without_a_number_is_known_and_answered_by_user_id(twin: RunningTwin) -> None:
    await twin.write(customer=KIRAN, text="hi")
    await twin.until(lambda: twin.assistant.messages)
    value = values_of(twin.assistant.bodies)[0]
    assert "from" not in value["messages"][0]
    assert "wa_id" not in value["contacts"][0]
    assert value["messages"][0]["from_user_id"] == value["contacts"][0]["user_id"] == KIRAN
    body = {"recipient": KIRAN, "type": "text", "text": {"body": "hello"}}
    status, answer = await twin.assistant.send(body)
    assert (status, answer["contacts"]) == (200, [{"input": KIRAN, "user_id": KIRAN}])
    await twin.until(lambda: twin.assistant.delivery_statuses)
    assert "recipient_id" not in twin.assistant.delivery_statuses[0]


async def test_a_wrong_token_is_refused_before_anything_else(twin: RunningTwin) -> None:
    status, answer = await twin.assistant.send({"nonsense": True}, token="another")
    assert (status, answer["error"]["code"], answer["error"]["type"]) == (401, 190, "OAuthException")


async def test_a_refused_body_reaches_nobody_and_is_kept_for_the_developer(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    status, answer = await twin.assistant.text(ASHA, "x" * 4097)
    assert (status, answer["error"]["code"]) == (400, 100)
    assert (await twin.get("/control/sent"))["sent"] == []
    assert [entry["code"] for entry in (await twin.get("/control/refused"))["refused"]] == [100]


async def test_who_never_wrote_can_only_get_a_template(twin: RunningTwin) -> None:
    status, answer = await twin.assistant.text(ASHA, "hello")
    assert (status, answer["error"]["code"]) == (400, 131047)
    template = {"to": ASHA, "type": "template", "template": {"name": "reopen", "language": {"code": "en"}}}
    assert (await twin.assistant.send(template))[0] == 200


async def test_the_window_closes_after_24_hours_and_opens_with_a_message(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    await twin.post("/control/window", customer=ASHA, closed=True)
    assert (await twin.assistant.text(ASHA, "late"))[1]["error"]["code"] == 131047
    await twin.write(text="still here")
    assert (await twin.assistant.text(ASHA, "in time"))[0] == 200


async def test_the_pair_rate_holds_when_it_is_on(twin: RunningTwin) -> None:
    await twin.post("/control/habits", pair_rate=True)
    await twin.write(text="hi")
    outcomes = [await twin.assistant.text(ASHA, str(n)) for n in range(46)]
    assert [status for status, _ in outcomes] == [200] * 45 + [400]
    assert outcomes[-1][1]["error"]["code"] == 131056


async def test_reading_and_typing_reach_the_phone(twin: RunningTwin) -> None:
    wamid = await twin.write(text="hi")
    watching = twin.network.feed.subscribe()
    receipt = {"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}}
    assert await twin.assistant.send(receipt) == (200, {"success": True})
    events = [watching.get_nowait() for _ in range(watching.qsize())]
    read = [event for event in events if event and event["event"] == "message" and event["message"]["status"] == "read"]
    assert [event["message"]["wamid"] for event in read] == [wamid]
    assert [event["key"] for event in events if event and event["event"] == "typing"] == ["919876543210"]


KINDS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "image", "caption": "torn"}, "image"),
    ({"kind": "voice"}, "audio"),
    ({"kind": "location", "latitude": 12.9, "longitude": 77.5}, "location"),
    ({"kind": "contacts", "own": True}, "contacts"),
    ({"kind": "reaction", "to": "wamid.x", "emoji": "👍"}, "reaction"),
    ({"kind": "unsupported"}, "unsupported"),
    ({"kind": "raw", "content": {"type": "order", "order": {"product_items": []}}}, "order"),
]


@pytest.mark.parametrize(("fields", "kind"), KINDS, ids=[kind for _, kind in KINDS])
async def test_every_kind_of_message_can_be_sent(twin: RunningTwin, fields: dict[str, Any], kind: str) -> None:
    await twin.write(**fields)
    await twin.until(lambda: twin.assistant.messages)
    message = twin.assistant.messages[0]
    assert message["type"] == kind
    assert kind in message


async def test_a_tapped_button_names_the_message_that_it_stood_under(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    buttons = [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]
    reply = {"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}
    _, answer = await twin.assistant.send({"to": ASHA, "type": "interactive", "interactive": reply})
    wamid = answer["messages"][0]["id"]
    await twin.write(kind="button_reply", to=wamid, id="y")
    await twin.until(lambda: len(twin.assistant.messages) == 2)
    message = twin.assistant.messages[1]
    assert message["context"]["id"] == wamid
    assert message["interactive"] == {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}


async def test_a_shared_number_answers_the_request(twin: RunningTwin) -> None:
    await twin.write(customer=KIRAN, kind="contacts", own=True, to="wamid.asked")
    await twin.until(lambda: twin.assistant.messages)
    message = twin.assistant.messages[0]
    assert message["origin"] == "contact_request"
    assert message["context"]["id"] == "wamid.asked"
    assert message["contacts"][0]["phones"][0]["phone"].startswith("+91")


async def test_a_picture_can_be_fetched_with_the_token_only(twin: RunningTwin) -> None:
    await twin.write(kind="image")
    await twin.until(lambda: twin.assistant.messages)
    media_id = twin.assistant.messages[0]["image"]["id"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with twin.session.get(f"{twin.url}/v25.0/{media_id}", headers=headers) as response:
        described = await response.json()
    async with twin.session.get(described["url"], headers=headers) as response:
        data = await response.read()
    async with twin.session.get(described["url"]) as response:
        assert response.status == 401
    assert data.startswith(b"\x89PNG")
    assert len(data) == described["file_size"]


async def test_waiting_for_what_is_sent_ends_when_it_comes(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    waiting = asyncio.create_task(twin.get("/control/sent?wait=5&customer=%2B919876543210"))
    await asyncio.sleep(0.05)
    await twin.assistant.text(ASHA, "hello")
    answer = await asyncio.wait_for(waiting, 2)
    assert [entry["body"]["text"]["body"] for entry in answer["sent"]] == ["hello"]
    assert (await twin.get(f"/control/sent?since={answer['next']}"))["sent"] == []


async def test_reset_forgets_everything(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    await twin.assistant.text(ASHA, "hello")
    await twin.post("/control/faults", kind="hang", times=None)
    await twin.post("/control/reset")
    assert (await twin.get("/control/sent")) == {"sent": [], "next": 0}
    assert (await twin.get("/control/faults")) == {"faults": []}
    assert (await twin.assistant.text(ASHA, "hello"))[1]["error"]["code"] == 131047


async def test_other_web_pages_cannot_write_as_a_customer(twin: RunningTwin) -> None:
    data = json.dumps({"customer": ASHA, "kind": "text", "text": "hi"})
    plain = {"Content-Type": "text/plain"}
    async with twin.session.post(twin.url + "/control/messages", data=data, headers=plain) as response:
        assert response.status == 415
    assert twin.assistant.messages == []


async def test_demo_customers_come_from_the_state_folder(twin: RunningTwin) -> None:
    listing = [{"name": "Asha Rao", "phone": ASHA, "shows": "One order"}]
    (twin.network.configuration.state_dir / "demo_customers.json").write_text(json.dumps(listing))
    chats = (await twin.get("/phone/api/state"))["chats"]
    assert [(chat["name"], chat["phone"], chat["shows"]) for chat in chats][:1] == [("Asha Rao", ASHA, "One order")]
    assert chats[-1]["phone"] is None
    assert chats[-1]["user_id"].startswith("IN.")


async def test_late_and_reordered_webhooks_all_arrive(twin: RunningTwin) -> None:
    await twin.post("/control/habits", reordered=True, late_s=0.05, copies=2)
    for n in range(6):
        await twin.write(text=str(n))
    await twin.until(lambda: len(twin.assistant.messages) == 12)
    order = [message["text"]["body"] for message in twin.assistant.messages]
    assert sorted(order) == sorted("001122334455")
    assert order != sorted(order)


async def test_it_tells_the_doctor_of_app_webhook_and_account_as_meta_does(twin: RunningTwin, tmp_path: Path) -> None:
    values = {
        "WHATSAPP_GRAPH_URL": f"{twin.url}/v25.0", "WHATSAPP_ACCESS_TOKEN": TOKEN, "WHATSAPP_APP_SECRET": SECRET,
        "WHATSAPP_BUSINESS_ACCOUNT_ID": "102290129340398", "WHATSAPP_PHONE_NUMBER_ID": NUMBER,
    }  # fmt: skip

    async def said(**changed: str) -> dict[str, str]:
        ours = settings.load(values | changed, env_file=tmp_path / "none")
        found = await asyncio.to_thread(lambda: [*meta.findings(ours), *credential_findings(ours)])
        return {one.where: one.level for one in found}

    told = await said()
    assert {told[place] for place in ("webhook", "subscribed_apps", "WHATSAPP_ACCESS_TOKEN")} == {"information"}
    assert (await said(WHATSAPP_APP_SECRET="another"))["WHATSAPP_APP_SECRET"] == "error"
    assert (await said(WHATSAPP_ACCESS_TOKEN="another"))["WHATSAPP_ACCESS_TOKEN"] == "error"
