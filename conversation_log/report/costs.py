"""What the period's messages cost: WhatsApp's charges, each message once, by the shop's rate card.

Meta tells whether a message is billed and in which category, never the price. A month's free service messages are taken
off in the order in which they were sent.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.engine import Engine

from conversation_log.query.tiers import Period
from conversation_log.storage.tables import charges
from shop import Shop

SERVICE = "service"
OTHER = "other"  # what an agent wrote, and messages of no feature


@dataclass
class Costs:
    """Messages by category; amounts by category, feature and the shop's day (ISO). `unpriced` counts billed messages
    for which the rate card has no rate."""

    currency: str
    messages: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)
    amounts: dict[tuple[str, str, str], float] = field(default_factory=lambda: defaultdict(float))
    unpriced: int = 0
    free_left: int | None = None
    this_month: float = 0.0
    budget: float | None = None

    @property
    def total(self) -> float:
        """What all of it cost, as far as its rates are known."""
        return sum(self.amounts.values())

    @property
    def by_category(self) -> dict[str, float]:
        return self._by(0)

    @property
    def by_feature(self) -> dict[str, float]:
        return self._by(1)

    @property
    def by_day(self) -> dict[str, float]:
        return self._by(2)

    def _by(self, place: int) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for key, amount in self.amounts.items():
            found[key[place]] += amount
        return found


def gather(engine: Engine, period: Period, ours: Shop, now: datetime) -> Costs:
    """The costs of a period, and how far this month has come."""
    zone, card = ZoneInfo(ours.time_zone), ours.message_costs
    month = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = min(period.since or datetime.min.replace(tzinfo=timezone.utc), month)
    first = since.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0) if period.since else since
    costs, free = Costs(ours.currency, budget=card.monthly_budget), Counter[str]()
    columns = ("at", "category", "billable", "kind", "country", "feature")
    found = select(*(charges.c[name] for name in columns))
    with engine.connect() as connection:
        for at, category, billable, kind, country, feature in connection.execute(
            found.where(charges.c.at >= first.astimezone(timezone.utc)).order_by(charges.c.at)
        ):
            day = at.astimezone(zone).date().isoformat()
            month_of = day[:7]
            # Whether Meta marks the free ones itself or not, each takes one off; those of an ad's 72 hours do not.
            if category == SERVICE and kind != "free_entry_point" and free[month_of] < card.free_service_messages:
                free[month_of] += 1
                billable = False
            rate = card.rate(category, country) if billable else 0.0
            if at >= month:
                costs.this_month += rate or 0.0
            if (period.since is None or at >= period.since) and (period.until is None or at < period.until):
                costs.messages[category] += 1
                costs.billed[category] += billable
                costs.unpriced += rate is None
                costs.amounts[category, feature or OTHER, day] += rate or 0.0
    if card.free_service_messages:
        costs.free_left = card.free_service_messages - free[f"{month:%Y-%m}"]
    return costs


def notes(costs: Costs) -> list[str]:
    """What is worth knowing besides: allowance left, budget, rates that are missing."""
    found = []
    if costs.free_left is not None:
        found.append(f"{costs.free_left} free service messages left this month")
    if costs.budget is not None:
        over = "OVER the budget of" if costs.this_month > costs.budget else "of a budget of"
        found.append(f"{costs.this_month:.2f} {costs.currency} this month, {over} {costs.budget:.2f}")
    if costs.unpriced:
        found.append(f"{costs.unpriced} billed messages without a rate in shop.yml (message_costs)")
    return found
