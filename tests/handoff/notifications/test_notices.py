"""Who is told of an escalation: once, without the customer's number or words, and as a digest in a storm."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import insert, select, update

from handoff.configuration import HandoffConfiguration
from handoff.notifications import notifiers
from handoff.notifications.notices import STUCK_S, Notifier
from handoff.notifications.notifiers import Escalation, Mail, NotSent, Slack, channels
from handoff.storage.database import Database
from handoff.storage.tables import notices, takeovers
from handoff.takeover.state_machine import open_takeover
from settings import load
from tests.conftest import free_port
from tests.handoff.stand_ins import serving
from tests.loops import on_a_thread

NOW = 1_800_000_000.0
PHONE = "9876543210"


class SlackStandIn:
    """An incoming webhook; `answers` are the statuses of the next calls."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.hangs_up = self.stalls = False

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.post("/services/T/B/X", self.take)])
        return app

    async def take(self, request: web.Request) -> web.StreamResponse:
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200:
            self.texts.append((await request.json())["text"])
        if self.stalls:
            answer = web.StreamResponse(headers={"Content-Length": "2"})
            await answer.prepare(request)
            await asyncio.sleep(2)
            return answer
        if self.hangs_up:
            request.transport.abort()  # type: ignore[union-attr]
        return web.Response(text="ok" if status == 200 else "invalid_payload", status=status, headers=headers)


@pytest.fixture
def slack() -> Iterator[tuple[SlackStandIn, Slack]]:
    there = SlackStandIn()
    with serving(there.app) as url:
        yield there, Slack(f"{url}/services/T/B/X")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def escalate(db: Database, request_for: Any, number: int = 1, channel: str = "slack", **values: Any) -> None:
    """A takeover whose ticket exists, with its notice waiting."""
    opened = open_takeover(db, request_for(f"91{number}", wamid=f"wamid.{number}", **values), now=NOW)
    with db.write() as connection:
        url = f"http://desk/agent/tickets/{number}"
        connection.execute(update(takeovers).where(takeovers.c.id == opened.takeover_id).values(ticket_url=url))
        connection.execute(
            insert(notices).values(
                takeover_id=opened.takeover_id, channel=channel, state="pending", attempts=0, due_at=NOW
            )
        )


def states(db: Database) -> list[str]:
    with db.read() as connection:
        return list(connection.execute(select(notices.c.state).order_by(notices.c.takeover_id)).scalars())


def test_slack_is_told_once_with_the_link_and_a_masked_number(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    escalate(db, request_for)
    notifier = Notifier(db, configuration, [channel], clock)
    notifier.work()
    notifier.work()
    (text,) = there.texts
    for part in ("CRITICAL", "MG-1001", "http://desk/agent/tickets/1", "#10234"):
        assert part in text
    assert PHONE not in text
    assert "This is fraud" not in text


def test_a_storm_becomes_a_digest(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    notifier = Notifier(db, configuration, [channel], clock)
    for number in range(3):
        escalate(db, request_for, number)
        notifier.work()
    assert len(there.texts) == 3
    for number in range(3, 33):
        escalate(db, request_for, number)
    notifier.work()
    assert len(there.texts) == 4
    assert "30 customers" in there.texts[3]
    assert "and 10 more" in there.texts[3]
    escalate(db, request_for, 50)
    notifier.work()
    assert len(there.texts) == 4, "the next one waits for the storm to pass"
    clock.now += configuration.digest_s + 1
    notifier.work()
    assert len(there.texts) == 5
    assert set(states(db)) == {"done"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_slack_that_says_not_now_is_asked_again(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock, status: int
) -> None:
    there, channel = slack
    there.answers = [(status, {"Retry-After": "30"} if status == 429 else {})]
    escalate(db, request_for)
    notifier = Notifier(db, configuration, [channel], clock)
    notifier.work()
    assert states(db) == ["pending"]
    clock.now += 31
    notifier.work()
    assert len(there.texts) == 1


def test_a_webhook_that_is_gone_is_given_up(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    there.answers = [(404, {})]
    escalate(db, request_for)
    Notifier(db, configuration, [channel], clock).work()
    assert states(db) == ["dead"]


def test_slack_that_took_it_and_hung_up_is_not_told_twice(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    there.hangs_up = True
    escalate(db, request_for)
    notifier = Notifier(db, configuration, [channel], clock)
    for _ in range(5):
        notifier.work()
        clock.now += 700
    assert len(there.texts) == 1


def test_slack_that_took_it_and_never_ends_its_answer_is_not_told_twice(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    there, channel = slack
    there.stalls = True
    monkeypatch.setattr(notifiers, "TIMEOUT_S", 0.5)
    escalate(db, request_for)
    Notifier(db, configuration, [channel], clock).work()
    assert states(db) == ["done"]


def test_a_notice_whose_worker_died_while_sending_is_not_repeated(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    escalate(db, request_for)
    with db.write() as connection:
        connection.execute(update(notices).values(state="sending"))
    clock.now += STUCK_S + 1
    Notifier(db, configuration, [channel], clock).work()
    assert (there.texts, states(db)) == ([], ["unknown"])


def test_a_customers_name_cannot_write_slack_markup(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    escalate(db, request_for, order_number="<!channel>")
    Notifier(db, configuration, [channel], clock).work()
    assert "<!channel>" not in there.texts[0]


class MailStandIn:
    """A mail server that keeps the messages it takes."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuses = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 mail")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT" and self.refuses:
                await say("550 no such mailbox")
            elif verb == "DATA":
                await say("354 go on")
                lines = []
                while (text := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    lines.append(text)
                self.mails.append("\n".join(lines))
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")
        writer.close()


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[MailStandIn, str]]:
    there, port = MailStandIn(), free_port()

    @contextlib.asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        async with await asyncio.start_server(there.serve, "127.0.0.1", port):
            yield f"smtp://127.0.0.1:{port}"

    with on_a_thread(serve) as url:
        yield there, url


def test_mail_is_sent_once_to_the_configured_address(
    db: Database, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    escalate(db, request_for, channel="email")
    with mail_server() as (there, url):
        notifier = Notifier(db, configuration, [Mail(url, "desk@example.com")], clock)
        notifier.work()
        notifier.work()
    (mail,) = [email.message_from_string(text, policy=email.policy.default) for text in there.mails]
    assert mail["To"] == "desk@example.com"
    assert mail["Subject"].startswith("CRITICAL: MG-1001")
    assert mail["Message-ID"]
    assert "http://desk/agent/tickets/1" in mail.get_content()
    assert PHONE not in mail.get_content()


def test_mail_that_is_refused_is_tried_again_under_the_same_message_id(
    db: Database, configuration: HandoffConfiguration, request_for: Any, clock: Clock
) -> None:
    escalate(db, request_for, channel="email")
    with mail_server() as (there, url):
        there.refuses = True
        notifier = Notifier(db, configuration, [Mail(url, "desk@example.com")], clock)
        notifier.work()
        assert states(db) == ["pending"]
        there.refuses, clock.now = False, clock.now + 120
        notifier.work()
    assert len(there.mails) == 1


def test_mail_headers_cannot_be_injected() -> None:
    mail = Mail("smtp://127.0.0.1:1", "desk@example.com\r\nBcc: thief@example.com")
    with pytest.raises(NotSent):
        mail.send([_escalation("MG-1\r\nBcc: thief@example.com")])
    message = mail._message([_escalation("MG-1\r\nBcc: thief@example.com")])
    assert "Bcc" not in message


def _escalation(reference: str, called_at: float = 0.0) -> Escalation:
    return Escalation(reference, "HIGH", "complains", "+91 ••••", None, "http://desk", called_at)


def test_a_person_called_twice_on_one_ticket_gets_two_mails_and_a_repeated_one_counts_once() -> None:
    mail = Mail("smtp://127.0.0.1:1", "desk@example.com")
    first, again, second = (mail._message([_escalation("MG-1", at)])["Message-ID"] for at in (1.0, 1.0, 2.0))
    assert first == again
    assert first != second


def test_one_channel_that_fails_does_not_silence_the_other(
    db: Database, configuration: HandoffConfiguration, slack: Any, request_for: Any, clock: Clock
) -> None:
    there, channel = slack
    escalate(db, request_for)
    Notifier(db, replace(configuration), [Mail("smtp://127.0.0.1:1", "x@example.com"), channel], clock).work()
    assert len(there.texts) == 1


def test_only_configured_channels_are_told() -> None:
    assert channels(load({})) == []
    both = load({"SLACK_WEBHOOK_URL": "http://x", "SMTP_URL": "smtp://x", "ESCALATION_EMAIL_TO": "a@example.com"})
    assert [channel.name for channel in channels(both)] == ["slack", "email"]
