"""Where notices of escalations go: a Slack channel, a mailbox. Phones come masked, and no words of the customer's."""

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import requests

from handoff.helpdesks.http_answers import retry_after
from settings import Settings

TIMEOUT_S = 10.0
LISTED_IN_DIGEST = 20


@dataclass(frozen=True)
class Escalation:
    """What a notice tells of one takeover. `called_at`: epoch seconds; a person may be called twice on one ticket."""

    reference: str
    priority: str
    reason: str
    phone: str
    order_number: str | None
    url: str
    called_at: float = 0.0


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
            with requests.post(
                self._url, json={"text": text}, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                pass  # its status says it all: a body that does not come is no reason to say it twice
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
        together = " ".join(f"{escalation.reference}@{escalation.called_at}" for escalation in escalations)
        message["Message-ID"] = f"<{hashlib.sha256(together.encode()).hexdigest()[:32]}@whatsapp-assistant>"
        message.set_content("\n".join(_lines(escalations, _plain_line)))
        return message


def channels(configured: Settings) -> list[Channel]:
    found: list[Channel] = []
    if configured.slack_webhook_url:
        found.append(Slack(configured.slack_webhook_url))
    if configured.smtp_url and configured.escalation_email_to:
        found.append(Mail(configured.smtp_url, configured.escalation_email_to))
    return found


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
