"""How the network behaves, and what went through Graph."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Habits:
    """What tests and demos may change while the twin runs.

    `statuses` are sent in that order, `status_delay_s` apart. `read` follows by itself when no browser is watching.
    `copies` of each webhook of a message are delivered, `late_s` after it was written; `reordered` ones overtake one
    another, as Meta's do after an outage.
    """

    statuses: tuple[str, ...] = ("sent", "delivered", "read")
    status_delay_s: float = 0.12
    window_rule: bool = True
    pair_rate: bool = False
    copies: int = 1
    late_s: float = 0.0
    reordered: bool = False


@dataclass
class Accepted:
    """One message that Graph accepted: when, for whom, and the body as it was sent."""

    n: int
    at: float
    to: str
    wamid: str
    body: dict[str, Any]


@dataclass
class Records:
    """What went through Graph, for those who ask afterwards."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
