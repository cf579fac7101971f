"""Reviewing in the browser: one page on 127.0.0.1, for whoever knows its address, until Ctrl-C.

The address holds a random token, because everybody on the machine can reach the port. A foreign page can neither read
ours (same origin) nor post to it: a POST needs the token in a header, which no form can set, and our own Host and
Origin, which guards against names that resolve to 127.0.0.1.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from rich.console import Console

from workbench.review.labels import Added, AlreadyThere, Outcome
from workbench.review.sitting import Review
from workbench.review.terminal import SHOWN
from workbench.review.training_phrase import as_training_phrase

PAGE = Path(__file__).with_name("review.html")
_MAX_BODY_BYTES = 64 * 1024


def serve(review: Review, console: Console, port: int = 0) -> None:
    """Print the page's address and answer until Ctrl-C."""
    with ReviewServer(review, port) as server:
        console.print(f"Open [bold]{server.url}[/] (Ctrl-C ends the review)", soft_wrap=True)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            console.print()


class ReviewServer(ThreadingHTTPServer):
    """Serves one review. `url` is the address to open. Raises OSError when the port is taken."""

    daemon_threads = True

    def __init__(self, review: Review, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.review = review
        self.token = secrets.token_urlsafe(24)
        self.authority = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.authority}/{self.token}/"
        self.lock = Lock()  # two tabs may press at the same time; files are edited one at a time

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        review = self.review
        return {
            "token": self.token,
            "intents": review.labels.choices(),
            "clusters": [
                {
                    "count": cluster.count,
                    "latest": f"{cluster.latest:%Y-%m-%d}",
                    "reasons": cluster.reasons.most_common(),
                    "taken": cluster.intents.most_common(3),
                    "guess": review.guess(cluster.wordings[0].text) if review.guess else None,
                    "wordings": [
                        {
                            "text": wording.text,
                            "phrase": as_training_phrase(wording.text, review.labels.pattern),
                            "count": len(wording.cases),
                        }
                        for wording in cluster.wordings[:SHOWN]
                    ],
                    "more": max(0, len(cluster.wordings) - SHOWN),
                }
                for cluster in review.clusters
            ],
        }

    def act(self, wish: Mapping[str, Any]) -> list[dict[str, str]]:
        """`{"cluster": n, "phrases": [text], "intent", "held_out"}` labels, without phrases it skips.

        One result for each phrase. Raises KeyError, IndexError, TypeError, ValueError for anything else.
        """
        cluster = self.review.clusters[_whole(wish["cluster"])]
        phrases, intent = [_text(phrase) for phrase in wish.get("phrases") or []], str(wish.get("intent") or "")
        with self.lock:
            outcomes = [self.review.label(phrase, intent, wish.get("held_out") is True) for phrase in phrases]
            if not outcomes or any(isinstance(outcome, Added | AlreadyThere) for outcome in outcomes):
                self.review.done_with(cluster.wordings)
        return [_shown(outcome) for outcome in outcomes]


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "review", ""
    timeout = 30

    def do_GET(self) -> None:
        if not self._is_ours() or self.path != f"/{self.server.token}/":
            return self._refuse(HTTPStatus.NOT_FOUND)
        nonce = secrets.token_urlsafe(16)
        data = json.dumps(self.server.state()).replace("<", "\\u003c")
        page = PAGE.read_text(encoding="utf-8").replace("{{nonce}}", nonce).replace("{{data}}", data)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._answer(HTTPStatus.OK, "text/html; charset=utf-8", page, {"Content-Security-Policy": policy})

    def do_POST(self) -> None:
        given = self.headers.get("X-Review-Token", "")
        origin = self.headers.get("Origin", f"http://{self.server.authority}")
        if not self._is_ours() or not _same(given, self.server.token) or origin != f"http://{self.server.authority}":
            return self._refuse(HTTPStatus.FORBIDDEN)
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            results = self.server.act(json.loads(self.rfile.read(int(length))))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            return self._refuse(HTTPStatus.BAD_REQUEST)
        except OSError as error:
            results = [{"kind": "refused", "phrase": "", "said": f"the file could not be written: {error.strerror}"}]
        self._answer(HTTPStatus.OK, "application/json", json.dumps(results), {})

    def _is_ours(self) -> bool:
        return self.headers.get("Host") == self.server.authority

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._answer(status, "text/plain; charset=utf-8", status.phrase, {})

    def _answer(self, status: HTTPStatus, kind: str, body: str, headers: Mapping[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        always = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **always, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address holds the token."""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not a place in the list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _shown(outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Added):
        return {"kind": "added", "phrase": outcome.phrase, "said": f"added: {outcome.place}"}
    if isinstance(outcome, AlreadyThere):
        return {"kind": "there", "phrase": outcome.phrase, "said": f"already there: {outcome.place}"}
    return {"kind": "refused", "phrase": outcome.phrase, "said": f"not added: {outcome.reason}"}
