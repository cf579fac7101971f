"""Agents' attachments become WhatsApp media, in the order in which they were said, and at worst a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connectors.conversations import agent_replies
from handoff.configuration import HandoffConfiguration
from handoff.files.attachments import File, TooLarge
from handoff.files.file_types import MIB
from handoff.files.uploads import TIMEOUT_S, UploadFailed, Uploads
from handoff.helpdesks.interface import Refused, RetryLater, SeenComment, Ticket, TicketView
from handoff.jobs.agent_comments import AgentComment, agent_said
from handoff.jobs.deliveries import Deliveries, Delivery
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.queries import TicketRef, takeover_by_id
from handoff.storage.tables import takeovers
from handoff.takeover.state_machine import open_takeover
from tests.handoff.jobs.fake_helpdesk import NOW, Clock, FakeHelpdesk
from tests.handoff.samples import request

PDF = b"%PDF-1.7 an invoice"
LINK = "https://desk.example/attachments/token/x/?name=invoice.pdf"


class Desk:
    """A helpdesk's files, Meta's uploads, and the inbox between them."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock = db, Clock()
        self.files: dict[str, bytes | Exception] = {LINK: PDF}
        self.uploaded: list[tuple[str, str]] = []
        self.refuses: Exception | None = None
        self.entries: list[Delivery] = []
        self.said = 0
        takeover_id = open_takeover(db, request(), now=NOW).takeover_id
        with db.read() as connection:
            self.ticket = TicketRef(None, takeover_by_id(connection, takeover_id).external_id)
        self.uploads = Uploads(db, self.fetch, self.send, self.clock)
        self.deliveries = Deliveries(db, self.put, clock=self.clock, files_are_uploaded=True)

    def fetch(self, link: str, max_bytes: int) -> File:
        found = self.files[link]
        if isinstance(found, Exception):
            raise found
        return File(found, link.rpartition("=")[2])

    def send(self, content: bytes, content_type: str, filename: str) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.uploaded.append((content_type, filename))
        return str(1000 + len(self.uploaded))

    async def put(self, entries: Sequence[Delivery]) -> None:
        self.entries += entries

    def says(self, text: str, *links: str) -> None:
        self.said += 1
        comment = AgentComment(f"zendesk:comment:{self.said}", str(self.said), text, self.clock.now, tuple(links))
        agent_said(self.db, self.ticket, comment, self.clock.now)

    async def round(self) -> list[str]:
        for delivery_id in self.uploads.due():
            self.uploads.work(delivery_id)
        await self.deliveries.drain()
        return [entry.payload["text"] for entry in self.entries]


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


async def test_a_file_is_uploaded_and_sent_by_its_id_behind_the_words(desk: Desk) -> None:
    desk.says("your invoice", LINK)
    assert await desk.round() == ["your invoice"]
    assert desk.uploaded == [("application/pdf", "invoice.pdf")]
    (reply,) = agent_replies.replies(desk.entries[0].payload)
    assert reply.body["document"] == {"id": "1001", "caption": "your invoice", "filename": "invoice.pdf"}
    assert reply.text == f"your invoice\ninvoice.pdf: {LINK}"  # what is sent should Meta refuse it after all
    assert agent_replies.links(desk.entries[0].payload) == []


async def test_later_words_wait_for_the_file_before_them_and_other_customers_do_not(desk: Desk, db: Database) -> None:
    desk.files[LINK] = RetryLater("away")
    desk.says("first", LINK)
    desk.says("second")
    other = open_takeover(db, request("351", "wamid.o"), now=NOW)
    with db.read() as connection:
        theirs = TicketRef(None, takeover_by_id(connection, other.takeover_id).external_id)
    agent_said(db, theirs, AgentComment("zendesk:comment:99", "99", "to another", NOW), NOW)
    assert await desk.round() == ["to another"]
    desk.files[LINK] = PDF
    desk.clock.now += 5
    assert await desk.round() == ["to another", "first", "second"]


async def test_what_cannot_be_fetched_in_time_goes_out_as_a_link(desk: Desk) -> None:
    desk.files[LINK] = RetryLater("away")
    desk.says("first", LINK)
    assert await desk.round() == []
    desk.clock.now += TIMEOUT_S + 1
    assert await desk.round() == ["first"]
    (reply,) = agent_replies.replies(desk.entries[0].payload)
    assert reply.body["text"]["body"] == f"first\n{LINK}"


@pytest.mark.parametrize(("content", "refuses"), [
    (b"\x89PNG\r\n\x1a\n" + bytes(5 * MIB), None), (b"PK\x03\x04 some.zip", None), (TooLarge("large"), None),
    (Refused("gone"), None), (PDF, UploadFailed("BadPayload", for_good=True)),
], ids=["large picture", "archive", "larger than all", "not there", "refused by Meta"])  # fmt: skip
async def test_too_large_or_of_a_refused_type_becomes_a_link_with_kind_words(
    desk: Desk, content: bytes | Exception, refuses: Exception | None
) -> None:
    desk.files[LINK], desk.refuses = content, refuses
    desk.says("here", LINK)
    assert await desk.round() == ["here"]
    (reply,) = agent_replies.replies(desk.entries[0].payload)
    assert reply.body["text"]["body"] == "here"
    assert agent_replies.links(desk.entries[0].payload)[0].endswith(LINK)


async def test_a_worker_that_dies_after_the_upload_uploads_again_and_hands_over_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(_: Callable[..., Any]) -> Any:
        raise Killed

    desk.says("your invoice", LINK)
    with monkeypatch.context() as patch:
        patch.setattr(desk.db, "write", lambda: dies(None))
        with pytest.raises(Killed):
            await desk.round()
    assert await desk.round() == ["your invoice"]
    assert await desk.round() == ["your invoice"]
    assert len(desk.uploaded) == 2  # the first is never used


def test_only_the_first_picture_of_several_carries_the_words() -> None:
    files = [{"id": str(number), "kind": "image", "link": "https://l", "filename": "a.jpg"} for number in (1, 2)]
    made = agent_replies.replies({"text": "both sides", "files": files, "media": ["https://l", "https://l"]})
    assert [reply.body["image"] for reply in made] == [{"id": "1", "caption": "both sides"}, {"id": "2"}]


def test_long_words_are_split_before_the_file_and_nothing_is_lost() -> None:
    words = " ".join(f"Sentence number {number} of a long reply." for number in range(300))
    files = [{"id": "1", "kind": "document", "link": "https://l", "filename": "a.pdf"}]
    made = agent_replies.replies({"text": words, "files": files})
    texts = [reply.body["text"]["body"] for reply in made[:-1]]
    assert all(len(text) <= 4096 and text.endswith(".") for text in texts)
    assert " ".join(texts) == words
    assert made[-1].body["document"] == {"id": "1", "filename": "a.pdf"}


async def test_what_a_webhook_does_not_tell_of_a_comments_files_is_found_when_the_ticket_is_read(
    desk: Desk, db: Database, configuration: HandoffConfiguration
) -> None:
    picture = "https://desk.example/attachments/token/y/?name=pasted.png"
    desk.files[picture] = b"\x89PNG\r\n\x1a\n"
    desk.says("as here", picture)  # by the webhook

    class Helpdesk(FakeHelpdesk):
        def read_ticket(self, ticket: Ticket) -> TicketView:
            return TicketView("open", (SeenComment("1", "as here", NOW, True, True, (picture, LINK)),))

    with db.write() as connection:
        connection.execute(takeovers.update().values(ticket_id="5", backend="zendesk", next_poll_at=NOW))
    for _ in range(2):
        poller = TicketPoller(db, Helpdesk("zendesk"), configuration, desk.clock)
        for takeover_id in poller.due():
            poller.poll(takeover_id)
        desk.clock.now += 120
    assert await desk.round() == ["as here", ""]
    assert [entry.payload["media"] for entry in desk.entries] == [[picture], [LINK]]
