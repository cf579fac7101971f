"""Traces of what happens to a message, from the webhook to the Graph API, for a collector that speaks OTLP over HTTP.

Off, and nothing of OpenTelemetry imported, until OTEL_EXPORTER_OTLP_ENDPOINT says where the collector is. Then work is
put into spans; a stored record carries the span that it comes from (W3C `traceparent`), and who takes it up goes on in
the same trace. A span holds words of our own and numbers: no message, no phone, no id that WhatsApp makes of one. So
nothing that is raised is recorded but its class, and we are not the provider of other libraries' spans, which would
hold what is asked of an LLM.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from privacy import log_lines
from settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

HEADER = "traceparent"
FLUSH_S = 2.0
EXPORT_TIMEOUT_S = 5.0
_CARRIED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_WORD = re.compile(r"(?!.*\d{6})[A-Za-z_][\w.:-]{0,63}", re.ASCII)
received: ContextVar[str | None] = ContextVar("received", default=None)
"""What the HTTP request that is answered carried."""
_tracer: Tracer | None = None
_provider: Any = None


class Span:
    """What runs, as far as it is known. `set` gives it attributes: numbers, and words that are one of a few."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def set(self, **attributes: bool | float | str | None) -> None:
        if self._span is not None:
            for name, value in attributes.items():
                if value is not None and (not isinstance(value, str) or _WORD.fullmatch(value)):
                    self._span.set_attribute(f"assistant.{name}", value)


_NOTHING = nullcontext(Span())


def start(process: str, settings: Settings) -> None:
    """Begin where OTEL_EXPORTER_OTLP_ENDPOINT is set. Raises SettingsError where the packages for it are missing."""
    global _tracer, _provider
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint or _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages for it are not installed. Remedy: `make setup`, or "
            "build the image with --build-arg TRACING=1; or unset it."
        ) from None
    name = os.environ.get("OTEL_SERVICE_NAME") or f"assistant-{process}"
    resource = Resource.create({"service.name": name, "service.instance.id": f"{os.uname().nodename}-{os.getpid()}"})
    _provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        endpoint=f"{endpoint.rstrip('/')}/v1/traces", headers=_headers(settings), timeout=EXPORT_TIMEOUT_S
    )
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer("assistant")
    log_lines.trace_id = _trace_id
    # A collector that is away must not fill the log: one line says so, not one each batch.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    logging.getLogger(__name__).info("tracing.started service=%s", name)


def stop() -> None:
    """Send what is left, waiting for FLUSH_S at most."""
    global _tracer, _provider
    if _provider is not None:
        sending = threading.Thread(target=_provider.shutdown, daemon=True)
        sending.start()
        sending.join(FLUSH_S)
    _tracer = _provider = None


def span(
    name: str, carried: object = None, links: Iterable[object] = (), **attributes: Any
) -> AbstractContextManager[Span]:
    """What runs inside is a span: of the trace that was `carried` to here, else within the span that runs.

    `links` are other carried traces that led to it.
    """
    return _NOTHING if _tracer is None else _span(name, carried, links, attributes)


@contextmanager
def _span(name: str, carried: object, links: Iterable[object], attributes: dict[str, Any]) -> Iterator[Span]:
    from opentelemetry import trace

    assert _tracer is not None
    others = [trace.Link(found) for one in links if (found := _read(one)) is not None]
    parent = _read(carried)
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent)) if parent is not None else None
    with _tracer.start_as_current_span(
        name, context, links=others, record_exception=False, set_status_on_exception=False
    ) as running:
        ours = Span(running)
        ours.set(**attributes)
        try:
            yield ours
        except BaseException as error:
            # The class alone: what it says may quote the customer.
            running.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def carry() -> str | None:
    """The span that runs, as a stored record or a header takes it along; None without one."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def _headers(settings: Settings) -> dict[str, str]:
    """`name=value,name=value`, percent-encoded, as the specification of the variable says."""
    pairs = [pair.partition("=") for pair in (settings.otel_exporter_otlp_headers or "").split(",") if "=" in pair]
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs}


def _read(carried: object) -> SpanContext | None:
    """What `carry` gave; None for anything else."""
    found = _CARRIED.fullmatch(carried) if isinstance(carried, str) else None
    if found is None:
        return None
    from opentelemetry import trace

    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    context = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
    return context if context.is_valid else None


def _trace_id() -> str | None:
    """Of the trace that a log line belongs to."""
    carried = carry()
    return carried.split("-")[1] if carried else None
