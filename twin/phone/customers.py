"""Who can hold the phone: the demo shop's customers, one known only by user id, and any number of your own."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

USERNAME_ONLY = "IN.8842017365520194"


@dataclass(frozen=True)
class Customer:
    """One WhatsApp account. `phone` is E.164 or None; `user_id` is Meta's business-scoped id.

    `shows` says what the demo orders of this customer are good for, `tries` are messages worth sending.
    """

    name: str
    phone: str | None
    user_id: str
    shows: str = ""
    tries: tuple[str, ...] = ()

    @property
    def wa_id(self) -> str | None:
        """The phone number as Meta writes it in webhooks: digits only."""
        return self.phone.lstrip("+") if self.phone else None

    @property
    def key(self) -> str:
        """The one identity that webhooks always carry: wa_id, or the user id of someone without a phone."""
        return self.wa_id or self.user_id

    def for_browser(self) -> dict[str, Any]:
        return {"key": self.key, **asdict(self)}


def with_phone(phone: str, name: str = "", shows: str = "", tries: tuple[str, ...] = ()) -> Customer:
    """The account behind a phone number, however it is punctuated; digits alone count as with country code."""
    digits = re.sub(r"\D", "", phone)
    if not 7 <= len(digits) <= 15:
        raise ValueError("A phone number has 7 to 15 digits, country code included.")
    user_id = f"IN.{int(digits) * 7919 % 10**16:016d}"
    return Customer(name or f"Visitor {digits[-4:]}", f"+{digits}", user_id, shows, tries)


def without_phone(user_id: str = USERNAME_ONLY, name: str = "Kiran") -> Customer:
    """Somebody who adopted a username: webhooks carry the user id and no number."""
    return Customer(name, None, user_id, "Has a username, no visible number: is asked to share it")


def demo_customers(state_dir: Path) -> list[Customer]:
    """Those of `demo_customers.json` (written with the demo orders), then the one without a number.

    An absent or unreadable file means that there are no demo orders: a visitor takes their place.
    """
    try:
        rows = json.loads((state_dir / "demo_customers.json").read_text(encoding="utf-8"))
        known = [
            with_phone(row["phone"], row["name"], row.get("shows", ""), tuple(row.get("tries", ()))) for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = [with_phone("+919900000001", "Visitor", "No orders yet: ask about our policies")]
    return [*known, without_phone()]
