"""One reply in the outbox: as it stands there, as plain words, and as the log hears of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from connectors.message_bus.sending.errors import BadPayload, MediaFailed, SendError, WindowClosed
from hot_store import record_versions


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class Outgoing:
    """One reply in the outbox.

    `address` is {"to": ...} or {"recipient": ...}; `expires_at` is the end of the customer service window in epoch
    seconds; `author` is "assistant" or "agent"; `asked_at` is when the message came in that is answered; `about` is
    what a message that quotes the reply is about; `otherwise` a template to send should the window have closed; `trace`
    the span that made it, where there are traces.
    """

    customer: str
    key: str
    wamid: str
    body: dict[str, Any]
    text: str
    control_version: int
    author: str
    address: dict[str, str]
    expires_at: float
    asked_at: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)
    otherwise: dict[str, Any] | None = None
    replayed: bool = False  # came back from the dead letters: Graph may have taken it before
    trace: str | None = None

    def as_json(self) -> str:
        # "epoch" is the stored, older name: a release beside this one reads it.
        kept = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        named = {"epoch" if name == "control_version" else name: value for name, value in kept.items()}
        return compact(record_versions.stamped(named))

    @classmethod
    def from_json(cls, text: str) -> Outgoing:
        """The reply again, whatever fields a newer release added.

        Raises UnknownVersion for one that only a newer release reads, ValueError or TypeError when it is none.
        """
        raw = json.loads(text)
        if not isinstance(raw, dict):
            raise TypeError("no JSON object")
        record_versions.check(raw)
        values = {"control_version" if name == "epoch" else name: value for name, value in raw.items()}
        return cls(**{name: value for name, value in values.items() if name in cls.__dataclass_fields__})

    @property
    def is_receipt(self) -> bool:
        """Whether it only says that the customer's words arrived: whoever took over need not know of it."""
        return str(self.about.get("utter_action") or "").startswith("utter_handoff_receipt")

    def in_form(self, form: str) -> dict[str, Any]:
        """The body: its own, the words as an ordinary text message (plain), or the template for later (otherwise)."""
        if form == "plain":
            return {"messaging_product": "whatsapp", "type": "text", "text": {"body": self.text[:4096]}}
        return self.otherwise or self.body if form == "otherwise" else self.body

    def next_form(self, form: str, error: SendError) -> str | None:
        """In which other form a refused reply may get through; None: in none."""
        if isinstance(error, WindowClosed) and self.otherwise and form != "otherwise":
            return "otherwise"
        is_template = self.in_form(form).get("type") == "template"
        may_be_plain = self.text and form == "own" and not is_template
        return "plain" if may_be_plain and isinstance(error, (BadPayload, MediaFailed)) else None

    def record(self, wamid: str | None, outcome: str, error: str | None) -> dict[str, Any]:
        """What became of it, for the event stream."""
        return {
            record_versions.FIELD: record_versions.CURRENT,
            "record": "sent", "customer": self.customer, "key": self.key, "wamid": wamid, "at": time.time(),
            "outcome": outcome, "error": error, "text": self.text, "author": self.author,
            **({"trace": self.trace} if self.trace else {}),
        }  # fmt: skip
