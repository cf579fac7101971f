"""What the Graph client says of an upload, for the threads that wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.message_bus.sending.errors import BadPayload, MediaFailed, SendError, Transient, Unauthorised
from handoff.files.uploads import UploadFailed
from worker.tickets import sender


class Graph:
    def __init__(self, error: SendError | None = None) -> None:
        self.error, self.sent = error, list[tuple[bytes, str, str]]()

    async def upload(self, content: bytes, content_type: str, filename: str) -> str:
        self.sent.append((content, content_type, filename))
        if self.error is not None:
            raise self.error
        return "77"


async def test_an_upload_from_a_thread_gives_its_media_id() -> None:
    graph: Any = Graph()
    send = sender(graph, asyncio.get_running_loop())
    assert await asyncio.to_thread(send, b"x", "application/pdf", "a.pdf") == "77"
    assert graph.sent == [(b"x", "application/pdf", "a.pdf")]


@pytest.mark.parametrize(("error", "for_good"), [
    (BadPayload("type"), True), (MediaFailed("size"), True), (Transient("away"), False), (Unauthorised("token"), False),
])  # fmt: skip
async def test_only_what_meta_refuses_is_not_tried_again(error: SendError, for_good: bool) -> None:
    graph: Any = Graph(error)
    send = sender(graph, asyncio.get_running_loop())
    with pytest.raises(UploadFailed) as raised:
        await asyncio.to_thread(send, b"x", "application/pdf", "a.pdf")
    assert raised.value.for_good is for_good
