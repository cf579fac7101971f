"""The console over HTTP: the inspector's and the dashboard's page, and what they ask.

    GET  /                       the page
    GET  /api/about              intents and reasons that a message can be copied under
    GET  /api/turns              ?customer=: see `journey.turns`
    GET  /api/person             ?text=: what the reader of reasons says of a message by itself
    POST /api/copy               {"customer", "id", "kind", "label"} → {"yaml", "file"}
    GET  /api/figures, /api/review, /api/metrics: see `live`
    GET  /api/what-if            ?<reason>=<threshold>: see `what_if.compared`
    POST /api/logged             {"wamids"} → {"missing"}: those that are not in the log
    POST /api/forget             {"customer"}: start over (only where things may be written, as in `make run`)

Whoever asks has the token: `Authorization: Bearer …`, or as the password that a browser asks for. What customers wrote
is shown to them in full, so the server listens on 127.0.0.1 only.
"""

import base64
import hmac
import json
import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from lenient_json import as_mapping, parsed
from workbench.console.answers import Answers, NotThere

log = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
MAX_BODY_BYTES = 64 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
Query = Mapping[str, Any]


class ConsoleServer(ThreadingHTTPServer):
    """Serves one product's answers to whoever has the token. Raises OSError when the port is taken."""

    daemon_threads = True

    def __init__(self, answers: Answers, token: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers, self.token = answers, token
        self.lock = threading.Lock()  # figures are made once at a time

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @cached_property
    def reads(self) -> Mapping[str, Callable[[Query], Any]]:
        given = self.answers
        return {
            "about": lambda query: given.about(),
            "turns": lambda query: {"turns": given.turns(str(query["customer"]))},
            "person": lambda query: given.person(str(query["text"])),
            "figures": lambda query: given.figures(),
            "review": lambda query: given.to_review(),
            "metrics": lambda query: given.metrics(),
            "what-if": lambda query: given.what_if({name: float(value) for name, value in query.items()}),
        }

    @cached_property
    def writes(self) -> Mapping[str, Callable[[Query], Any]]:
        given = self.answers
        return {
            "copy": lambda wish: given.copy(*(str(wish[name]) for name in ("customer", "id", "kind", "label"))),
            "logged": lambda wish: given.logged([str(wamid) for wamid in wish["wamids"]]),
            "forget": lambda wish: given.forget(str(wish["customer"])),
        }


class _Handler(BaseHTTPRequestHandler):
    server: ConsoleServer
    server_version, sys_version = "console", ""
    timeout = 30

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if not self._let_in():
            return
        if path.startswith("/api/"):
            self._answer(self.server.reads.get(path.removeprefix("/api/")), query)
            return
        file = STATIC / (path.lstrip("/") or "console.html")
        if file.parent != STATIC or file.suffix not in TYPES or not file.is_file():
            self._json(HTTPStatus.NOT_FOUND, {"error": "There is no such page."})
            return
        self._send(HTTPStatus.OK, TYPES[file.suffix], file.read_bytes())

    def do_POST(self) -> None:
        if not self._let_in():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "The request is too large."})
            return
        raw = self.rfile.read(int(length))
        origin = self.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != self.headers.get("Host")
        if foreign or self.headers.get_content_type() != "application/json":
            self._json(HTTPStatus.FORBIDDEN, {"error": "Requests from other web pages are refused."})
            return
        self._answer(self.server.writes.get(self.path.removeprefix("/api/")), as_mapping(parsed(raw)))

    def _let_in(self) -> bool:
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            try:
                given = base64.b64decode(given).decode().partition(":")[2]
            except ValueError:
                given = ""
        if hmac.compare_digest(given.encode(), self.server.token.encode()):
            return True
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="INSPECTOR_TOKEN as password"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _answer(self, answer: Callable[[Query], Any] | None, query: Query) -> None:
        if answer is None:
            self._json(HTTPStatus.NOT_FOUND, {"error": "There is no such question."})
            return
        try:
            with self.server.lock:
                found = answer(query)
        except NotThere as error:
            self._json(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except (KeyError, ValueError) as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": str(error) or "Something is missing in the question."})
        except (SQLAlchemyError, RedisError, OSError) as error:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"It cannot be read now ({type(error).__name__})."})
        except Exception as error:  # one wrong question must not end the console
            log.error("console.failed error=%s", type(error).__name__)
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"It failed ({type(error).__name__})."})
        else:
            self._json(HTTPStatus.OK, found)

    def _json(self, status: HTTPStatus, content: Any) -> None:
        self._send(status, "application/json", json.dumps(content, ensure_ascii=False, default=str).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": f"{kind}; charset=utf-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses hold customers' numbers."""
