"""An agent's attachment, fetched from where the helpdesk keeps it.

Credentials go to the helpdesk's own host only: the files behind its links are often elsewhere, but on the public web.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import requests

from handoff.files import public_web
from handoff.helpdesks.http_answers import Answer, judge
from handoff.helpdesks.interface import Refused, RetryLater
from handoff.helpdesks.zendesk_login import login
from settings import Settings

TIMEOUT_S = (3.0, 20.0)  # connect, each read
TOTAL_TIMEOUT_S = 60.0  # for all of it: the threads that fetch are those that serve the helpdesk
MAX_REDIRECTS = 3
MAX_NAME = 200


class TooLarge(Refused):
    """More bytes than asked for."""


@dataclass(frozen=True)
class File:
    """What an agent attached."""

    content: bytes
    filename: str


Fetch = Callable[[str, int], File]


def fetcher(configured: Settings) -> Fetch:
    """`fetch(link, max_bytes)`: blocks for a minute at most, raises HelpdeskError. Raises SettingsError."""
    own = urlsplit(configured.values.get(f"{configured.ticketing}_URL".upper()) or "").netloc
    if configured.ticketing != "zendesk" or not own:
        return lambda link, max_bytes: fetch(link, max_bytes, own)
    shown = login(configured)
    return lambda link, max_bytes: fetch(link, max_bytes, own, shown.authorization)


def fetch(link: str, max_bytes: int, own: str = "", authorization: Callable[[], str] | None = None) -> File:
    """The file at `link`; `authorization` is shown to the host `own`. Raises HelpdeskError."""
    session, until = public_web.session(urlsplit(f"//{own}").hostname), time.monotonic() + TOTAL_TIMEOUT_S
    try:
        name = _name_in(link)
        for _ in range(MAX_REDIRECTS + 1):
            parts = urlsplit(link)
            if parts.scheme not in ("http", "https"):
                raise Refused("not a web address")
            headers = {"Authorization": authorization()} if authorization and parts.netloc == own else {}
            with session.get(link, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, stream=True) as answer:
                if answer.is_redirect:
                    link = urljoin(link, answer.headers["Location"])
                    continue
                judge(Answer(answer.status_code, answer.headers, ""))
                return File(_content(answer, max_bytes, until), _name_of(answer) or name or _name_in(link) or "file")
        raise Refused("too many redirects")
    except public_web.NotPublic as error:
        raise Refused(str(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise RetryLater(type(error).__name__) from error
    finally:
        session.close()


def _content(answer: requests.Response, max_bytes: int, until: float) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(64 * 1024):
        content += chunk
        if len(content) > max_bytes:
            raise TooLarge("larger than WhatsApp takes")
        if time.monotonic() > until:
            raise RetryLater("slow")
    return bytes(content)


def _name_of(answer: requests.Response) -> str:
    """What Content-Disposition says."""
    written = Message()
    written["Content-Disposition"] = answer.headers.get("Content-Disposition") or "attachment"
    return _base_name(written.get_filename() or "")


def _name_in(link: str) -> str:
    """Zendesk's links have it in `?name=`, others at the end of the path."""
    parts = urlsplit(link)
    named = parse_qs(parts.query).get("name", [""])[0] or unquote(parts.path)
    found = _base_name(named)
    return found if "." in found else ""


def _base_name(name: str) -> str:
    name = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip()
    return name[-MAX_NAME:]
