"""The orders that customers of the dialogues have, in a database of their own."""

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from workbench.dialogues.cases import Dialogue

CARRIER = "BlueKite"
# name: status, days from today to the expected delivery, whether the courier has it
_ORDERS = {
    "OPEN": ("shipped", 3, True),
    "OPEN2": ("packed", 6, False),
    "LATE": ("delayed", -2, True),
    "DONE": ("delivered", -4, True),
    "CANCELLED": ("cancelled", None, False),
    "RETURNED": ("returned", -12, True),
    "OTHERS": ("shipped", 2, True),
}
NAMES = (*_ORDERS, "MISSING")
_CREATE = """CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer_name TEXT, customer_phone TEXT, status TEXT,
 estimated_delivery DATE, carrier TEXT, tracking_number TEXT, tracking_url TEXT)"""


def numbers_of(index: int) -> dict[str, str]:
    """The order numbers of the dialogue at this place, by name."""
    return {name: str(20100 + 10 * index + place) for place, name in enumerate(NAMES)}


def phone_of(index: int) -> str:
    """The customer's phone, E.164."""
    return f"+9198{index:08d}"


def seed(url: str, dialogues: Sequence[Dialogue], today: date) -> None:
    """Create the table with every dialogue's orders."""
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text(_CREATE))
        for index, dialogue in enumerate(dialogues):
            numbers = numbers_of(index)
            for name in (*dialogue.orders, "OTHERS"):
                phone = phone_of(index) if name != "OTHERS" else "+919700000001"
                connection.execute(sa.text("INSERT INTO orders VALUES (:id, 'K', :phone, :status, :due, :c, :t, :u)"),
                                   row_of(numbers[name], phone, name, today))  # fmt: skip
    engine.dispose()


def row_of(number: str, phone: str, name: str, today: date) -> dict[str, object]:
    """The row of the order of this name: id, phone, status, due, c(arrier), t(racking number), u(rl)."""
    status, days, sent = _ORDERS[name]
    due = (today + timedelta(days)).isoformat() if days is not None else None
    track = f"BK{number}77"
    return {
        "id": number, "phone": phone, "status": status, "due": due, "c": CARRIER if sent else None,
        "t": track if sent else None, "u": f"https://track.example.org/{track}" if sent else None,
    }  # fmt: skip
