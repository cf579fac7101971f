"""Which server of a Redis Cluster has which slot, and which slot a command's keys are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.crc import key_slot

SLOTS = 16384
Place = tuple[str, int]


@dataclass
class SlotMap:
    """The masters of all slots as a server of the cluster told it; None where nobody serves one.

    `told` is the whole answer, to be compared; None before there was any.
    """

    masters: list[Place | None] = field(default_factory=lambda: [None] * SLOTS)
    with_replicas: frozenset[Place] = frozenset()
    all: frozenset[Place] = frozenset()
    told: frozenset[Any] | None = None

    @classmethod
    def from_answer(cls, answer: Sequence[Any], by: Place) -> SlotMap:
        """From what CLUSTER SLOTS answers; a server that leaves its own address out means the one that was asked."""
        found, replicated, every, told = cls(), set(), set(), set()
        for first, last, master, *replicas in answer:
            places = [(str(node[0] or by[0]), int(node[1])) for node in (master, *replicas)]
            found.masters[int(first) : int(last) + 1] = [places[0]] * (int(last) - int(first) + 1)
            every.update(places)
            told.add((first, last, places[0], frozenset(places[1:])))
            if replicas:
                replicated.add(places[0])
        return cls(found.masters, frozenset(replicated), frozenset(every), frozenset(told))


def slot_of(command: Sequence[Any]) -> int | None:
    """The slot of a command's first key; None for one without keys."""
    name = str(command[0]).upper()
    if name in ("EVAL", "EVALSHA"):
        key = command[3] if int(command[2]) else None
    elif name == "XREAD":
        key = command[[part in ("STREAMS", b"STREAMS") for part in command].index(True) + 1]
    else:
        key = command[1] if len(command) > 1 and name not in _WITHOUT_KEYS else None
    return None if key is None else key_slot(key if isinstance(key, bytes) else str(key).encode())


_WITHOUT_KEYS = ("PING", "INFO", "CONFIG", "SCRIPT", "CLUSTER", "WAIT", "SCAN", "TIME", "FLUSHALL")


def redirection(error: Exception) -> tuple[str, int, Place] | None:
    """What MOVED and ASK say: the word, the slot, and where to go; None for any other error."""
    word, _, rest = str(error).partition(" ")
    if word not in ("MOVED", "ASK"):
        return None
    slot, _, place = rest.partition(" ")
    host, _, port = place.rpartition(":")
    return word, int(slot), (host.strip("[]"), int(port))
