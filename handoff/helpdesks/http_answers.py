"""What a helpdesk's HTTP answer means for the caller."""

import datetime as dt
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from handoff.helpdesks.interface import NotAllowed, Refused, RetryLater
from lenient_json import as_mapping, parsed

TIMEOUT_S = (3.0, 10.0)  # connect, read
MAX_WAIT_S = 900.0


@dataclass(frozen=True)
class Answer:
    """Status, headers (case-insensitive) and body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: str


def judge(answer: Answer) -> None:
    """Raise what an answer other than 2xx asks for. Only error codes are quoted: bodies may hold customers' data."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise NotAllowed(f"HTTP {status}")
    if status in (408, 409, 423, 425, 429) or status >= 500:
        raise RetryLater(f"HTTP {status}", retry_after(answer.headers))
    content = as_mapping(parsed(answer.body))
    raise Refused(f"HTTP {status} {_code(content)}".strip(), _fields(content))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks for, whole or not, or as a date; bounded."""
    written = headers.get("Retry-After")
    if not written:
        return None
    try:
        seconds = float(written)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(written) - dt.datetime.now(dt.timezone.utc)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), MAX_WAIT_S)


def _code(content: Mapping[str, Any]) -> str:
    """The error's own name, when it has one."""
    error = content.get("error") or content.get("code") or content.get("category") or ""
    if isinstance(error, dict):
        error = error.get("title") or error.get("code") or ""
    return str(error)[:80]


def _fields(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What a helpdesk complained about: Zendesk's `details`, Freshdesk's and HubSpot's `errors`; names and codes."""
    found: list[str] = []
    for name, complaints in as_mapping(content.get("details")).items():
        codes = [as_mapping(each).get("error") for each in complaints] if isinstance(complaints, list) else []
        found += [f"{name}:{code}" if code else str(name) for code in codes or [None]]
    errors = content.get("errors")
    for each in map(as_mapping, errors if isinstance(errors, list) else ()):
        names = as_mapping(each.get("context")).get("propertyName") or each.get("field")
        names = names if isinstance(names, list) else [names]
        found += [f"{name}:{each.get('code')}" for name in names if name]
    return tuple(re.sub(r"[^\w.:-]", "", field)[:80] for field in found[:10])


def session(headers: Mapping[str, str], auth: tuple[str, str] | None = None) -> requests.Session:
    """A session that never repeats a request by itself."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(headers)
    made.auth = auth
    return made


class Api:
    """One account's API under `base`: a session a thread, because requests' sessions are not to be shared."""

    def __init__(self, base: str, headers: Mapping[str, str], auth: tuple[str, str] | None = None) -> None:
        self._base, self._headers, self._auth = base, headers, auth
        self._threads = threading.local()

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """JSON of a 2xx answer ({} for none). Raises HelpdeskError."""
        if not hasattr(self._threads, "session"):
            self._threads.session = session(self._headers, self._auth)
        return call(self._threads.session, method, f"{self._base}{path}", **kwargs)


def call(made: requests.Session, method: str, url: str, **kwargs: Any) -> Any:
    """JSON of a 2xx answer ({} for none). Raises HelpdeskError."""
    try:
        response = made.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **kwargs)
    except requests.RequestException as error:
        raise RetryLater(type(error).__name__) from error
    judge(Answer(response.status_code, response.headers, response.text))
    if not response.content:
        return {}
    try:
        return response.json()
    except ValueError as error:
        raise RetryLater("the answer is not JSON") from error
