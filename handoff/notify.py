"""Who is told of an escalation: a Slack channel and a mailbox, once the ticket exists.

Best effort: a notice that fails for a known reason is tried again for an hour; one whose outcome is unknown is not
repeated on Slack (a person would see it twice) and is on e-mail (its Message-ID makes it the same message). Phones
are masked and nothing that the customer wrote is in it. More escalations than usual in a short time become one digest.
"""

from __future__ import annotations

import hashlib
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import requests
from sqlalchemy import func, select, update
from sqlalchemy.engine import Row

from handoff.configuration import HandoffConfiguration
from handoff.database import Database
from handoff.http import retry_after
from handoff.tables import notices, takeovers
from handoff.ticket import REASONS, request_of
from privacy.pseudonyms import mask_phone
from settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
MAX_ATTEMPTS = 12
STUCK_S = 120.0
LISTED_IN_DIGEST = 20


@dataclass(frozen=True)
class Escalation:
    """What a notice tells of one takeover."""

    reference: str
    priority: str
    reason: str
    phone: str
    order_number: str | None
    url: str


class NotSent(Exception):
    """`certain`: nothing was sent, so trying again cannot say it twice. `gone`: it never will be."""

    def __init__(self, why: str, certain: bool, gone: bool = False, after_s: float | None = None) -> None:
        super().__init__(why)
        self.certain, self.gone, self.after_s = certain, gone, after_s


class Channel(Protocol):
    """Where notices go."""

    name: str

    def send(self, escalations: Sequence[Escalation]) -> None:
        """One message about one or several escalations. Raises NotSent."""
        ...


class Slack:
    """An incoming webhook."""

    name = "slack"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, escalations: Sequence[Escalation]) -> None:
        text = "\n".join(_lines(escalations, _slack_line))
        try:
            answer = requests.post(self._url, json={"text": text}, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.ConnectTimeout as error:
            raise NotSent("connect timeout", certain=True) from error
        except requests.ConnectionError as error:
            raise NotSent("connection error", certain="Connection aborted" not in str(error)) from error
        except requests.RequestException as error:
            raise NotSent(type(error).__name__, certain=False) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise NotSent(f"HTTP {answer.status_code}", certain=True, after_s=retry_after(answer.headers))
        if answer.status_code != 200:
            raise NotSent(f"HTTP {answer.status_code}", certain=True, gone=True)


class Mail:
    """SMTP: `smtps://` speaks TLS from the start, `smtp://` upgrades when the server offers it."""

    name = "email"

    def __init__(self, url: str, to: str) -> None:
        parts = urlsplit(url)
        self._host, self._tls = parts.hostname or "localhost", parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._to = _header(to)

    def send(self, escalations: Sequence[Escalation]) -> None:
        try:
            with self._connect() as server:
                server.send_message(self._message(escalations))
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise NotSent(type(error).__name__, certain=True, after_s=60.0) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(type(error).__name__, certain=True) from error

    def _connect(self) -> smtplib.SMTP:
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
        if self._user:
            server.login(self._user, self._password)
        return server

    def _message(self, escalations: Sequence[Escalation]) -> EmailMessage:
        first = escalations[0]
        message = EmailMessage()
        many = f"{len(escalations)} escalations on WhatsApp"
        single = f"{first.priority}: {first.reference}, a WhatsApp customer {first.reason}"
        message["Subject"] = _header(single if len(escalations) == 1 else many)
        message["From"] = self._user if "@" in self._user else f"assistant@{self._host}"
        message["To"] = self._to
        together = " ".join(escalation.reference for escalation in escalations)
        message["Message-ID"] = f"<{hashlib.sha256(together.encode()).hexdigest()[:32]}@whatsapp-assistant>"
        message.set_content("\n".join(_lines(escalations, _plain_line)))
        return message


def channels(configured: Settings) -> list[Channel]:
    """The configured ones."""
    found: list[Channel] = []
    if configured.slack_webhook_url:
        found.append(Slack(configured.slack_webhook_url))
    if configured.smtp_url and configured.escalation_email_to:
        found.append(Mail(configured.smtp_url, configured.escalation_email_to))
    return found


class Notifier:
    """`work()` sends what is due on each channel; it blocks and never raises for a channel's sake."""

    def __init__(
        self,
        db: Database,
        configuration: HandoffConfiguration,
        told: Sequence[Channel],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._configuration, self._told, self._clock = db, configuration, told, clock

    def work(self) -> None:
        for channel in self._told:
            for rows in self._due(channel.name):
                self._send(channel, rows)

    def _due(self, channel: str) -> list[list[Row]]:
        """Groups of takeovers to tell of, one message each, marked as being sent."""
        now = self._clock()
        with self._db.write() as connection:
            # A worker that died while sending: what it sent is unknown, and once is promised.
            connection.execute(
                update(notices)
                .where(notices.c.channel == channel, notices.c.state == "sending", notices.c.due_at <= now - STUCK_S)
                .values(state="unknown")
            )
            waiting = connection.execute(
                select(takeovers, notices.c.attempts)
                .join(notices, notices.c.takeover_id == takeovers.c.id)
                .where(notices.c.channel == channel, notices.c.state == "pending", notices.c.due_at <= now)
                .order_by(takeovers.c.id)
            ).all()
            if not waiting:
                return []
            recent = connection.execute(
                select(func.count(), func.max(notices.c.done_at)).where(
                    notices.c.channel == channel, notices.c.done_at > now - self._configuration.digest_s
                )
            ).one()
            storm = len(waiting) + recent[0] > self._configuration.digest_above
            ids = [row.id for row in waiting]
            mine = update(notices).where(notices.c.channel == channel, notices.c.takeover_id.in_(ids))
            if storm and recent[0] >= self._configuration.digest_above:
                connection.execute(mine.values(due_at=recent[1] + self._configuration.digest_s))
                return []
            connection.execute(mine.values(state="sending", due_at=now, attempts=notices.c.attempts + 1))
            return [list(waiting)] if storm else [[row] for row in waiting]

    def _send(self, channel: Channel, rows: list[Row]) -> None:
        now = self._clock()
        ids = [row.id for row in rows]
        values: dict[str, float | str] = {"state": "done", "done_at": now}
        try:
            channel.send([_escalation(row) for row in rows])
        except NotSent as error:
            values = self._after(error, rows[0].attempts + 1, now)
            log.warning("handoff.notice.failed channel=%s error=%s then=%s", channel.name, error, values["state"])
        except Exception as error:
            log.error("handoff.notice.crashed channel=%s error=%s", channel.name, type(error).__name__)
            values = {"state": "dead"}
        with self._db.write() as connection:
            connection.execute(
                update(notices)
                .where(notices.c.channel == channel.name, notices.c.takeover_id.in_(ids))
                .values(**values)
            )

    def _after(self, error: NotSent, attempts: int, now: float) -> dict[str, float | str]:
        if error.gone or attempts >= MAX_ATTEMPTS:
            return {"state": "dead"}
        if not error.certain:
            return {"state": "unknown", "done_at": now}
        return {"state": "pending", "due_at": now + max(error.after_s or 0.0, min(600.0, 2.0**attempts))}


def _escalation(takeover: Row) -> Escalation:
    request = request_of(takeover)
    return Escalation(
        reference=takeover.reference,
        priority=takeover.priority,
        reason=REASONS.get(takeover.reason, "needs a person"),
        phone=mask_phone(request.phone),
        order_number=request.order_number,
        url=takeover.ticket_url or "",
    )


def _lines(escalations: Sequence[Escalation], line: Callable[[Escalation], str]) -> list[str]:
    if len(escalations) == 1:
        return [line(escalations[0])]
    shown = [line(escalation) for escalation in escalations[:LISTED_IN_DIGEST]]
    rest = len(escalations) - len(shown)
    more = [f"and {rest} more"] if rest else []
    return [f"{len(escalations)} customers on WhatsApp wait for a person:", *shown, *more]


def _plain_line(escalation: Escalation) -> str:
    about = f" about order #{escalation.order_number}" if escalation.order_number else ""
    return (
        f"{escalation.priority} {escalation.reference}: a WhatsApp customer ({escalation.phone}) "
        f"{escalation.reason}{about}. {escalation.url}"
    ).rstrip()


def _slack_line(escalation: Escalation) -> str:
    line = _plain_line(escalation)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(text: str) -> str:
    """A header's value on one line, whatever is in it."""
    return " ".join(text.split())
