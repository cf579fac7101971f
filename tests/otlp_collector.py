"""A collector of traces as processes see one: OTLP over HTTP, in JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One span: whose, in which trace, within which other span, and what it says."""

    name: str
    service: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: str | None
    links: tuple[str, ...]


@dataclass
class Collector:
    """Keeps what it is sent; `hold` makes it answer nobody."""

    url: str = ""
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def spans(self) -> list[Seen]:
        return [
            _seen(span, {one["key"]: _value(one) for one in resource["resource"]["attributes"]}["service.name"])
            for body in self.bodies for resource in json.loads(body)["resourceSpans"]
            for scope in resource["scopeSpans"] for span in scope["spans"]
        ]  # fmt: skip

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]


def _value(pair: dict[str, Any]) -> Any:
    return next(iter(pair["value"].values()))


def _seen(span: dict[str, Any], service: str) -> Seen:
    return Seen(
        span["name"], service, span["traceId"], span["spanId"], span.get("parentSpanId", ""),
        {one["key"]: _value(one) for one in span.get("attributes", ())},
        (span.get("status") or {}).get("message") or None,
        tuple(link["spanId"] for link in span.get("links", ())),
    )  # fmt: skip


@contextmanager
def collector() -> Iterator[Collector]:
    """One on a free port, until the end of the block."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if found.hold.is_set():
                threading.Event().wait(20)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            found.bodies.append(body)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
