"""What WhatsApp's messages cost this month, for `/metrics`; only where shop.yml has `message_costs`."""

import asyncio
import logging
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from prometheus_client import Gauge
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

import shop
from conversation_log.query.tiers import Period
from conversation_log.report.costs import Costs, gather
from conversation_log.storage import database
from settings import Settings
from shop_costs import MessageCosts
from worker.pauses import pause

log = logging.getLogger(__name__)

SPENT = Gauge("assistant_month_budget_spent_ratio", "This month's cost of messages as a share of monthly_budget",
              multiprocess_mode="mostrecent")  # fmt: skip
COST = Gauge("assistant_month_message_cost", "What this month's messages cost, in the shop's currency",
             ["category", "feature"], multiprocess_mode="mostrecent")  # fmt: skip
FREE = Gauge("assistant_month_free_messages_left", "Free service messages that this month has left",
             multiprocess_mode="mostrecent")  # fmt: skip
_shown: set[tuple[str, str]] = set()  # last month's are 0 now
EVERY_S = 900.0  # a month of a million messages is read in some seconds
RETRY_S = 15.0  # while the database does not answer, or has no tables yet


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Measure until `stop`. Raises shop.ShopError."""
    ours = shop.load()
    if ours.message_costs == MessageCosts():
        await stop.wait()
        return
    engine = database.connect(str(settings.conversation_database_url))
    try:
        while not stop.is_set():
            wait_s = RETRY_S
            try:
                # On a new installation the log's writer makes the tables meanwhile.
                if await asyncio.to_thread(database.applied_revision, engine):
                    show(await asyncio.to_thread(spent, engine, ours, datetime.now(timezone.utc)))
                    wait_s = EVERY_S
            except SQLAlchemyError as error:
                log.warning("worker.budget.unknown error=%s", type(error).__name__)
            await pause(stop, wait_s)
    finally:
        engine.dispose()


def spent(engine: Engine, ours: shop.Shop, now: datetime) -> Costs:
    """Of this month, by the shop's calendar. Raises SQLAlchemyError."""
    month = now.astimezone(ZoneInfo(ours.time_zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return gather(engine, Period(since=month), ours, now)


def show(costs: Costs) -> None:
    """In the gauges."""
    amounts = dict.fromkeys(_shown, 0.0)
    for (category, feature, _), amount in costs.amounts.items():
        amounts[category, feature] = amounts.get((category, feature), 0.0) + amount
    for labels, amount in amounts.items():
        COST.labels(*labels).set(amount)
    _shown.update(amounts)
    if costs.free_left is not None:
        FREE.set(costs.free_left)
    if costs.budget:
        SPENT.set(costs.this_month / costs.budget)
