"""`/metrics`: who may read it, and what was counted. The Rasa server adds what Redis and the database know."""

import hmac
import ipaddress
import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest, multiprocess

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NOT_ALLOWED = {"WWW-Authenticate": 'Bearer realm="METRICS_TOKEN"'}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def has_token(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request brings this bearer token."""
    given = headers.get("authorization", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, f"Bearer {token}".encode())


def may_read(peer: str, headers: Mapping[str, str], token: str | None, networks: str) -> bool:
    """Whether a request for the metrics is answered: it has the token, or comes from one of the networks.

    A proxy says for whom it asks: what came through one comes from no network that we know.
    """
    if token and has_token(headers, token):
        return True
    try:
        found = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    address = getattr(found, "ipv4_mapped", None) or found
    near = any(address in ipaddress.ip_network(one.strip()) for one in networks.split(","))
    return near and not any(name in headers for name in _FORWARDED)


def of_processes() -> bytes:
    """What all processes counted that share PROMETHEUS_MULTIPROC_DIR; without it, what this one did."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)
        return bytes(generate_latest(registry))
    return bytes(generate_latest())
