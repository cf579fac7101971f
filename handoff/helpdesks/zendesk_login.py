"""How we show Zendesk who we are, and the HTTP session that zenpy is given: what its answers mean is decided here.

An OAuth token may expire within minutes or be revoked. With an OAuth client of our own (client credentials) a refused
token is replaced without anybody's help; without one, an operator has to. API tokens end for good on 2027-04-30.
"""

import base64
import logging
import threading
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from handoff.helpdesks import http_answers
from handoff.helpdesks.http_answers import TIMEOUT_S, Answer, judge
from handoff.helpdesks.interface import NotAllowed, Refused, RetryLater
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

API_TOKENS_END = "2027-04-30"
ACCOUNT = "account"  # stands for ours in zenpy's URLs
SCOPES = "tickets:read tickets:write users:read users:write"


class Login(Protocol):
    """The Authorization header; methods may call Zendesk and raise HelpdeskError."""

    def authorization(self) -> str:
        """What to send now."""
        ...

    def renewed(self, refused: str) -> bool:
        """Whether there is something newer than what Zendesk just refused."""
        ...


class Fixed:
    """As configured."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    def authorization(self) -> str:
        return self._authorization

    def renewed(self, refused: str) -> bool:
        return False


class ClientCredentials:
    """Tokens that our OAuth client fetches, shared by all threads. `token` is used as long as it is accepted."""

    def __init__(self, base: str, client_id: str, client_secret: str, token: str | None = None) -> None:
        self._url, self._client_id, self._client_secret = f"{base.rstrip('/')}/oauth/tokens", client_id, client_secret
        self._current = bearer(token) if token else None
        self._lock = threading.Lock()

    def authorization(self) -> str:
        with self._lock:
            if self._current is None:
                self._current = self._fetch()
            return self._current

    def renewed(self, refused: str) -> bool:
        with self._lock:
            if self._current in (refused, None):  # else another thread was first
                self._current = None
                self._current = self._fetch()
            return True

    def _fetch(self) -> str:
        asked = {
            "grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._client_secret,
            "scope": SCOPES,
        }  # fmt: skip
        try:
            answer = http_answers.call(http_answers.session({}), "POST", self._url, json=asked)
        except Refused as error:
            raise NotAllowed(f"no token for the OAuth client: {error}") from error
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise RetryLater("no token in the answer")
        log.info("zendesk.token.fetched")
        return bearer(token)


def bearer(token: str) -> str:
    """The header of an OAuth token."""
    return f"Bearer {token}"


def login(configured: Settings) -> Login:
    """OAuth first: a client, a token, or both; else an API token, with a warning. Raises SettingsError."""
    token, url = configured.zendesk_oauth_token, configured.zendesk_url or ""
    client_id, client_secret = configured.zendesk_oauth_client_id, configured.zendesk_oauth_client_secret
    if client_id and client_secret:
        return ClientCredentials(url, client_id, client_secret, token)
    if token:
        return Fixed(bearer(token))
    if not (configured.zendesk_email and configured.zendesk_api_token):
        raise SettingsError(
            "Set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (or ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and "
            "ZENDESK_API_TOKEN) for Zendesk."
        )
    log.warning(
        "zendesk.api_token.ending on=%s Zendesk switches API tokens off; set up an OAuth client instead", API_TOKENS_END
    )
    given = f"{configured.zendesk_email}/token:{configured.zendesk_api_token}"
    return Fixed(f"Basic {base64.b64encode(given.encode()).decode()}")


class Session(requests.Session):
    """Requests to one Zendesk account: authorised, errors raised by remedy, repeated only where nothing was done."""

    def __init__(self, base: str, login: Login) -> None:
        super().__init__()
        self.trust_env = False  # no .netrc credentials over ours
        self.authorized = True  # zenpy then leaves our credentials alone
        self._base, self._login = base, login
        self.idempotency_key: str | None = None

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Raises HelpdeskError for everything that is not 2xx."""
        target = self._ours(str(url))
        kwargs |= {"timeout": TIMEOUT_S, "allow_redirects": False}
        kwargs["headers"] = dict(kwargs.get("headers") or {})
        if self.idempotency_key and str(method).upper() == "POST":
            kwargs["headers"]["Idempotency-Key"] = self.idempotency_key
        try:
            used = kwargs["headers"]["Authorization"] = self._login.authorization()
            response = super().request(method, target, *args, **kwargs)
            if response.status_code == 401 and self._login.renewed(used):
                kwargs["headers"]["Authorization"] = self._login.authorization()
                response = super().request(method, target, *args, **kwargs)
        except requests.RequestException as error:
            raise RetryLater(type(error).__name__) from error
        judge(Answer(response.status_code, response.headers, response.text))
        if response.content and not _is_json(response):
            raise RetryLater("the answer is not JSON")  # a proxy's page
        response.request.url = f"https://{ACCOUNT}.zendesk.com{urlsplit(target).path}"  # zenpy chooses its parser by it
        return response

    def _ours(self, url: str) -> str:
        """Whatever host a URL names (zenpy's, or a `next` link's), our account's."""
        parts, prefix = urlsplit(url), urlsplit(self._base).path
        path = parts.path.removeprefix(prefix) if prefix else parts.path
        return f"{self._base}{path}" + (f"?{parts.query}" if parts.query else "")


def _is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except ValueError:
        return False
    return True
