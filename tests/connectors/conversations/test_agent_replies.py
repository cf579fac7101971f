"""An agent's comment on its way through the bus: words, files, a sentence for what cannot travel; in order, once."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.conversations.entry_handler import FILE_LINK
from connectors.message_bus.inbox import Entry
from connectors.message_bus.sending.errors import MediaFailed
from tests.connectors.message_bus.transport_fakes import FakeGraph, Process, message

CUSTOMER, ID = "919876543210", "zendesk:comment:1"
PDF = {"link": "https://desk.example/a.pdf", "filename": "a.pdf", "kind": "document", "id": "77", "why": ""}
ZIP = {"link": "https://desk.example/b.zip", "filename": "b.zip", "kind": "", "id": "", "why": "type"}


async def sent(process: Process, **payload: Any) -> list[dict[str, Any]]:
    await process.inbox.put([message(CUSTOMER, "wamid.0")])
    await process.drained()
    for _ in range(2):  # the worker died before it noted that it had handed this over
        await process.inbox.put([Entry("agent_comment", CUSTOMER, ID, payload)])
    await process.drained()
    return process.graph.accepted[1:]


@pytest.fixture
async def process(redis_url: str) -> Any:
    made = Process(redis_url).start()
    yield made
    await made.stop()


async def test_words_files_and_links_go_out_in_order_and_once(process: Process) -> None:
    words = "Both papers.\n" + "x" * 1100  # too long for a caption
    bodies = await sent(process, text=words, media=[PDF["link"], ZIP["link"]], files=[PDF, ZIP])
    shown = [body[body["type"]] for body in bodies]
    assert [body["biz_opaque_callback_data"] for body in bodies] == [f"{ID}:{number}" for number in (1, 2, 3)]
    assert shown[0]["body"] == words
    assert shown[1] == {"id": "77", "filename": "a.pdf"}
    assert shown[2]["body"] == FILE_LINK
    assert process.speaker.facts[-1] == {"files": "b.zip: https://desk.example/b.zip"}


async def test_a_file_that_meta_refuses_after_all_goes_out_as_its_link(redis_url: str) -> None:
    async def refuse(body: dict[str, Any]) -> None:
        if body["type"] == "document":
            raise MediaFailed("upload expired", code=131053)

    process = Process(redis_url, graph=FakeGraph(refuse)).start()
    (body,) = await sent(process, text="", media=[PDF["link"]], files=[PDF])
    assert body["text"]["body"] == "a.pdf: https://desk.example/a.pdf"
    await process.stop()


async def test_before_files_are_uploaded_by_anybody_links_stand_below_the_words(process: Process) -> None:
    (body,) = await sent(process, text="see", media=[PDF["link"]])
    assert body["text"]["body"] == f"see\n{PDF['link']}"
