"""The HTTP session that zenpy is given: what is sent to Zendesk and what its answers mean is decided here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from handoff.helpdesks.http_answers import TIMEOUT_S, Answer, judge
from handoff.helpdesks.interface import RetryLater
from handoff.helpdesks.zendesk_login import Login

ACCOUNT = "account"  # stands for ours in zenpy's URLs


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
