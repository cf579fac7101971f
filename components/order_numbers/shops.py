"""The pattern of the shop's order numbers: `orders` of shop.yml, or ORDER_NUMBER_PATTERN where that is set."""

import logging
from functools import lru_cache

import settings
import shop
from components.order_numbers.shape import DEFAULT_PATTERN, Shape, ShapeError

log = logging.getLogger(__name__)


def shop_pattern() -> str:
    """A regular expression that matches the shop's order numbers as it writes them. Raises shop.ShopError."""
    if chosen := settings.load().order_number_pattern:
        _complain_once()
        return chosen
    orders = shop.load().orders
    try:
        if orders.get("id_pattern"):
            return Shape.of(str(orders["id_pattern"])).pattern
        return Shape.learnt(orders["id_examples"]).pattern if orders.get("id_examples") else DEFAULT_PATTERN
    except (ShapeError, TypeError) as error:
        raise shop.ShopError(
            f"shop.yml, orders: {error}. Remedy: id_examples with a few order numbers as the shop writes them, such as"
            " [WC-1001, WC-20455]."
        ) from None


@lru_cache(maxsize=1)
def _complain_once() -> None:
    log.warning("shop.old_variable ORDER_NUMBER_PATTERN wins over orders of %s. Remedy: write it there.", shop.FILE)
