"""One message leaves lines with its wamid from the webhook to its row in the log, and says nothing else of itself."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.conversations.identity import Identities
from connectors.conversations.other_voices import OtherVoices
from connectors.message_bus.turn import Turn
from connectors.whatsapp.webhook.intake import Intake
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import EventStream
from conversation_log.ingest.writer import Writer
from conversation_log.storage import database
from conversation_log.storage.tables import messages
from privacy import log_filter
from privacy.log_lines import JsonLines
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process

WAMID, PHONE, WORDS = "wamid.HBgMcorrelated", "919876543210", "zorblat is broken"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    handler.addFilter(log_filter.PrivacyFilter())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


def notification() -> bytes:
    message = {"from": PHONE, "id": WAMID, "timestamp": str(int(time.time())), "type": "text", "text": {"body": WORDS}}
    value = {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "1", "phone_number_id": "2"},
        "contacts": [{"wa_id": PHONE, "profile": {"name": "Asha"}}], "messages": [message],
    }  # fmt: skip
    entry = {"id": "0", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def said_as_rasa_does(turn: Turn) -> None:
    turn.events.append({"event": "user", "text": WORDS, "timestamp": time.time(), "message_id": WAMID})


@pytest.mark.slow
async def test_lines_of_one_message_share_its_id_from_the_webhook_to_the_log_row(
    redis_url: str, lines: io.StringIO, tmp_path: Path
) -> None:
    process = Process(redis_url, FakeSpeaker(said_as_rasa_does)).start()
    voices = OtherVoices(process.client, 60)
    intake = Intake(process.inbox, Identities(process.client), voices, PayloadSigner("secret"))
    assert await intake.take(parse_notification(notification(), "2")) == 1
    await process.drained()
    await process.stop()
    engine = database.connect(f"sqlite:///{tmp_path / 'log.db'}")
    Writer(engine, EventStream(hot_tier.client(redis_url)), "test").step(10)
    with engine.connect() as connection:
        keys = set(connection.execute(select(messages.c.message_key)).scalars())
    assert WAMID in keys
    written: list[dict[str, Any]] = [json.loads(line) for line in lines.getvalue().splitlines()]
    events = [line.get("event") for line in written if line.get("wamid") == WAMID]
    assert {
        "whatsapp.message.received", "consumer.turn.finished", "outbox.reply.accepted", "log.turn.stored",
        "log.outcome.stored",
    } <= set(events)  # fmt: skip
    assert WORDS not in lines.getvalue()
    assert PHONE[2:] not in lines.getvalue()
