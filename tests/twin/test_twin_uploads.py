"""Meta's rules for files that a business uploads, and for sending them by id."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from connectors.message_bus.sending.errors import BadPayload, MediaFailed, SendError, Unauthorised
from connectors.whatsapp.graph.client import GraphClient
from tests.twin.standin import ASHA, NUMBER, TOKEN, RunningTwin

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def client(twin: RunningTwin, token: str = TOKEN) -> GraphClient:
    return GraphClient(f"{twin.url}/v25.0", NUMBER, token)


def of(kind: str, media_id: str) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": ASHA, "type": kind, kind: {"id": media_id}}


async def test_an_uploaded_file_is_sent_by_its_id_and_can_be_fetched(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    graph = client(twin)
    media_id = await graph.upload(PNG, "image/png", "size chart.png")
    assert await graph.send(of("image", media_id))
    assert (await graph.media(media_id, 1000)).data == PNG
    await graph.close()


@pytest.mark.parametrize(("content", "kind", "error"), [
    (PNG, "application/zip", BadPayload), (PNG, "image/gif", BadPayload), (b"", "image/png", MediaFailed),
    (PNG + bytes(5 * 1024 * 1024), "image/png", MediaFailed), (b"not a png", "image/png", MediaFailed),
], ids=["type", "type of a picture", "empty", "too large", "not what it says"])  # fmt: skip
async def test_a_file_that_meta_would_not_take_is_refused(
    twin: RunningTwin, content: bytes, kind: str, error: type[SendError]
) -> None:
    graph = client(twin)
    with pytest.raises(error):
        await graph.upload(content, kind, "file")
    await graph.close()


async def test_the_phone_saves_a_document_that_the_shop_sent_and_shows_none(twin: RunningTwin) -> None:
    graph = client(twin)
    media_id = await graph.upload(b"%PDF-1.7 <script>", "application/pdf", "a.pdf")
    await graph.close()
    async with aiohttp.ClientSession() as session, session.get(f"{twin.url}/phone/api/media/{media_id}") as answer:
        assert await answer.read() == b"%PDF-1.7 <script>"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.content_type == "application/octet-stream"


async def test_an_id_of_nothing_or_of_another_kind_is_refused(twin: RunningTwin) -> None:
    await twin.write(text="hi")
    graph = client(twin)
    media_id = await graph.upload(PNG, "image/png", "a.png")
    with pytest.raises(BadPayload):
        await graph.send(of("image", "123"))
    with pytest.raises(MediaFailed):
        await graph.send(of("document", media_id))
    await graph.close()


async def test_an_upload_needs_the_token_and_the_form(twin: RunningTwin) -> None:
    graph = client(twin, "wrong")
    with pytest.raises(Unauthorised):
        await graph.upload(PNG, "image/png", "a.png")
    await graph.close()
    async with aiohttp.ClientSession() as session:
        url, headers = f"{twin.url}/v25.0/{NUMBER}/media", {"Authorization": f"Bearer {TOKEN}"}
        async with session.post(url, json={"file": "x"}, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (400, 100)
