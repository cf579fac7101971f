"""An act: one thing that a customer confirmed, and that the shop's own system is asked to do; and what came of it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

CANCEL, ADDRESS, RETURNS = "cancel", "address", "returns"
DONE, REFUSED, UNKNOWN, NOT_DONE = "done", "refused", "unknown", "not_done"
MAX_KEY_CHARS = 200
MAX_REASON_CHARS = 200
_MARKUP = re.compile(r"[*_~`<>{}|\\#]")
_LINK = re.compile(
    r"\b[a-z][\w+.-]*://\S*|\b(?:mailto|tel|sms|javascript|data|whatsapp|intent):\S*|\bwww\.\S*|\S+@\S+", re.I
)
_INSIDE_A_NAME = re.compile(r"(?<=\w)\.(?=[^\W\d])")


@dataclass(frozen=True)
class Act:
    """`order_id` as the shop writes it, `requested_by` the E.164 phone of the signed message `wamid` that confirmed.

    `wished_in` is the message that the wish began with: whichever message is taken for the yes, when a turn runs again
    and more has come in, it is one act.
    `details`: for an address `{"address"}`, for a return `{"items": [{"item_id", "quantity"}], "reason", "wish"}`,
    where no items are the whole order and the wish is "refund" or "exchange".
    """

    action: str
    order_id: str
    requested_by: str
    wamid: str
    wished_in: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same however often this wish is worked on: order, action and the wish's message. ASCII."""
        key = f"{quote(self.order_id, safe='')}:{self.action}:{quote(self.wished_in, safe='.=')}"
        return key if len(key) <= MAX_KEY_CHARS else hashlib.sha256(key.encode()).hexdigest()

    @property
    def body(self) -> dict[str, Any]:
        """What the shop is told."""
        known = {"order_id": self.order_id, "requested_by": self.requested_by, "wamid": self.wamid}
        return {**known, **self.details}


def digest(action: str, order: str, details: Mapping[str, Any]) -> str:
    """What is to be done, without who confirmed it when: equal for the same wish said again."""
    return hashlib.sha256(json.dumps([action, order, details], sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """One attempt. `outcome`: DONE; REFUSED, for `reason`; else `why`, for a log or a ticket.

    UNKNOWN: the shop may have done it all the same. NOT_DONE: it has not, by this attempt. Both may be tried again,
    after `wait_s` where the shop says so; but what is `final` would end the same however often it is tried.
    """

    outcome: str
    reason: str = ""
    why: str = ""
    wait_s: float = 0.0
    final: bool = False


class ShopPort(Protocol):
    """Where acts are done. `can` holds the actions that it knows."""

    @property
    def can(self) -> tuple[str, ...]: ...

    async def attempt(self, act: Act) -> Answer:
        """Ask once. Acts of one `key` are done once, however often they are asked for. Never raises."""
        ...


def plain(words: object, limit: int = MAX_REASON_CHARS) -> str:
    """Words from outside as one plain line that WhatsApp shows as it is: no formatting, no links; '' for none.

    '0[' is broken up: Rasa returns a response that contains it unfilled.
    """
    text = words[: 4 * limit] if isinstance(words, str) else ""
    text = "".join(sign if sign.isprintable() else " " for sign in text).replace("[", "(").replace("]", ")")
    text = _INSIDE_A_NAME.sub(". ", _LINK.sub(" ", _MARKUP.sub(" ", text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
