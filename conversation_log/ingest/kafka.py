"""The log's way out to Kafka: a batch is appended to a topic before it is dropped from Redis.

The key of a record is its customer, so that their order holds within a partition of the topic. What a broker did not
confirm stays in Redis and is appended again, whole, so the topic may have a record twice: each names its message. A
record that is too large for the topic is set aside. Nothing of a record is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from conversation_log.ingest.stream import Entry
from lenient_json import as_mapping, parsed
from settings import SettingsError

log = logging.getLogger(__name__)

CONFIRM_S = 8.0  # less than the lease of the stream that a batch is read from
TOO_LARGE, FATAL = 10, -150  # Kafka's numbers of errors, of client and broker alike
_SECURITY = {("kafka", False): "PLAINTEXT", ("kafka", True): "SASL_PLAINTEXT", ("kafka+ssl", False): "SSL",
             ("kafka+ssl", True): "SASL_SSL"}  # fmt: skip


class EgressUnavailable(RuntimeError):
    """The brokers did not confirm all of a batch in time."""


class Producer(Protocol):
    """What we use of confluent_kafka.Producer."""

    def produce(self, topic: str, **record: Any) -> None: ...

    def flush(self, timeout: float) -> int: ...

    def purge(self) -> None: ...


@dataclass
class Egress:
    """Appends to one topic."""

    connect: Callable[[], Producer]
    topic: str
    confirmed: set[tuple[str, str]] = field(default_factory=set)  # of batches that are not dropped from Redis yet
    _producer: Producer | None = None

    @classmethod
    def from_url(cls, url: str) -> Egress:
        """Of LOG_KAFKA_URL. Raises SettingsError where the client is not installed."""
        try:
            import confluent_kafka
        except ImportError:
            raise SettingsError(
                "LOG_KAFKA_URL is set, and confluent-kafka is not installed. Remedy: `pip install confluent-kafka` in "
                "the worker's environment; or unset it."
            ) from None
        producer: Any = confluent_kafka.Producer
        return cls(lambda: producer(options(url)), urlsplit(url).path.strip("/"))

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Append what was not yet, in order. Returns those that are too large for the topic.

        Raises EgressUnavailable when not all of the others are confirmed: then nothing may be dropped.
        """
        fresh = [entry for entry in entries if (entry.stream, entry.id) not in self.confirmed]
        codes = self._deliver((whose(entry.text), entry.text.encode()) for entry in fresh)
        too_large = [entry for entry, code in zip(fresh, codes, strict=True) if code == TOO_LARGE]
        for code in codes:
            if code not in (None, TOO_LARGE):
                raise EgressUnavailable(f"refused with {code}")
        self.confirmed.update((entry.stream, entry.id) for entry in fresh)
        return too_large

    def dropped(self) -> None:
        """Redis does not hold any more what was appended."""
        self.confirmed.clear()

    def forget(self, customers: Iterable[str]) -> int:
        """Append a tombstone for each, for those who read the topic. Raises EgressUnavailable."""
        codes = self._deliver((customer.encode(), None) for customer in customers)
        if any(code is not None for code in codes):
            raise EgressUnavailable("a tombstone was refused")
        return len(codes)

    def _deliver(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> list[int | None]:
        """What became of each: None when it was confirmed, else the number of the error."""
        producer = self._producer = self._producer or self.connect()
        codes: dict[int, int | None] = {}
        count = 0
        for n, (key, value) in enumerate(records):
            count += 1
            try:
                told = partial(_note, codes, n)
                producer.produce(self.topic, key=key, value=value, on_delivery=told)
            except BufferError:
                break
            except Exception as error:  # KafkaException, whose first argument is a KafkaError
                code = _code(error.args[0] if error.args else None)
                if code == FATAL:  # it lost track of its own order and is of no use any more
                    self._producer = None
                    break
                codes[n] = code
        if producer.flush(CONFIRM_S) or len(codes) < count:
            producer.purge()  # so that it does not arrive later, behind what is appended again
            raise EgressUnavailable("not confirmed in time")
        return [codes[n] for n in range(count)]


def _note(codes: dict[int, int | None], n: int, error: Any, _: Any) -> None:
    codes[n] = None if error is None else _code(error)


def _code(error: Any) -> int:
    return int(error.code()) if hasattr(error, "code") else -1


def whose(text: str) -> bytes | None:
    """The key of a record: its customer, else the message that it is about; None for one that cannot be read."""
    record = as_mapping(parsed(text))
    found = record.get("customer") or record.get("key") or record.get("wamid")
    return str(found).encode() if found else None


def options(url: str) -> dict[str, Any]:
    """The client's options: each record once and in order from one producer, confirmed by all replicas in sync."""
    parts = urlsplit(url)
    credentials, _, servers = parts.netloc.rpartition("@")
    found: dict[str, Any] = {
        "bootstrap.servers": servers,
        "security.protocol": _SECURITY[parts.scheme, bool(credentials)],
        "acks": "all", "enable.idempotence": True, "message.timeout.ms": int(CONFIRM_S * 1000),
        "linger.ms": 5, "logger": log,
    }  # fmt: skip
    if credentials:
        user, _, password = credentials.partition(":")
        mechanism = parts.query.partition("mechanism=")[2] or "PLAIN"
        found |= {"sasl.mechanism": mechanism, "sasl.username": unquote(user), "sasl.password": unquote(password)}
    return found
