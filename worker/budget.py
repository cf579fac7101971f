"""How much of the month's budget WhatsApp's messages have taken, for `/metrics`; only where shop.yml has a budget."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone

from prometheus_client import Gauge
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

import shop
from conversation_log.query.tiers import Period
from conversation_log.report import costs
from conversation_log.storage import database
from settings import Settings
from worker.pauses import pause

log = logging.getLogger(__name__)

SPENT = Gauge("assistant_month_budget_spent_ratio", "This month's cost of messages as a share of monthly_budget",
              multiprocess_mode="mostrecent")  # fmt: skip
EVERY_S = 900.0  # a month of a million messages is read in some seconds


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Measure until `stop`. Raises shop.ShopError."""
    ours = shop.load()
    if not ours.message_costs.monthly_budget:
        await stop.wait()
        return
    engine = database.connect(str(settings.conversation_database_url))
    try:
        while not stop.is_set():
            try:
                SPENT.set(await asyncio.to_thread(spent, engine, ours, datetime.now(timezone.utc)))
            except SQLAlchemyError as error:
                log.warning("worker.budget.unknown error=%s", type(error).__name__)
            await pause(stop, EVERY_S)
    finally:
        engine.dispose()


def spent(engine: Engine, ours: shop.Shop, now: datetime) -> float:
    """1.0: all of it. Raises SQLAlchemyError."""
    month = costs.gather(engine, Period(since=now), ours, now).this_month
    return month / (ours.message_costs.monthly_budget or 1.0)
