"""Each capability of the action server, built once and only when the first action asks for it.

Pattern: a cached function without arguments, which imports its capability inside (so that one broken or slow
import cannot keep the other skills from starting) and reads `settings.load()`. Actions take the capability as
an optional constructor argument and fall back to this; tests pass a fake instead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import settings

if TYPE_CHECKING:
    from actions.orders.lookup import Orders


@lru_cache(maxsize=1)
def orders() -> Orders:
    """Look-ups in the shop's orders database."""
    from actions.orders.lookup import Orders
    from actions.orders.repository import OrderRepository

    configured = settings.load()
    return Orders(
        OrderRepository(configured.values["ORDERS_DATABASE_URL"] or "", region=configured.default_region or "IN")
    )
