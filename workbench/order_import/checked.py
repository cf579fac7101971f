"""Rows of an export as the assistant will understand them; what it would not is named, never with a customer's data."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from actions.orders.days import day, moment
from actions.orders.numbers import normal_number, same_number
from actions.orders.phones import e164
from actions.orders.rows import RowReader
from components.order_numbers.shape import Shape
from shop import OrderStatus, Shop
from workbench.shop_check.findings import masked, word_shown

_OVER = (OrderStatus.CANCELLED, OrderStatus.REFUNDED, OrderStatus.RETURNED)


@dataclass(frozen=True)
class Checked:
    """A row as it goes into the table, None where it cannot; and what is wrong with it."""

    values: Mapping[str, str | None] | None
    problems: tuple[str, ...] = ()


class RowCheck:
    """Checks rows by what shop.yml says."""

    def __init__(self, ours: Shop, shape: Shape | None) -> None:
        self._region, self._zone, self._shape = ours.region, ZoneInfo(ours.time_zone), shape
        self._reader = RowReader(ours.region, ours.time_zone, ours.orders.get("statuses") or {})

    def check(self, row: Mapping[str, str]) -> Checked:
        """The row with its phone in E.164 and its dates as ISO; left out without a number or a phone that is one."""
        number, phone = normal_number(row["order_id"]), e164(row["customer_phone"], self._region)
        if not number:
            return Checked(None, ("has no order number",))
        written = self._shape.written(number) if self._shape else number
        if written is None or not same_number(written, number):
            return Checked(None, (f"has the order number {masked(number)}, which is not of the shape in shop.yml "
                                  "(orders.id_examples)",))  # fmt: skip
        if not phone:
            look = masked(row["customer_phone"]) or "nothing"
            return Checked(None, (f"has {look} as its phone, which is no number of {self._region}",))
        problems = []
        status = row.get("status") or None
        meaning = self._reader.order({"order_id": number, "status": status}).status
        if row.get("cancelled_at") and meaning not in _OVER:
            status = "cancelled"
        elif meaning is None:
            said = f"the status '{word_shown(status)}'" if status else "no status"
            problems.append(f"has {said}, which has no meaning (orders.statuses of shop.yml)")
        values: dict[str, str | None] = {
            **{name: text or None for name, text in row.items() if name != "cancelled_at"},
            "order_id": number, "customer_phone": phone, "status": status,
        }  # fmt: skip
        for name in ("estimated_delivery", "placed_at"):
            if values.get(name):
                read = (day if name == "estimated_delivery" else moment)(values[name], self._zone, self._region)
                values[name] = read.isoformat() if read else None
                if read is None:
                    problems.append(f"has a date in {name} that could be two days or none: {masked(row[name])}")
        return Checked(values, tuple(problems))
