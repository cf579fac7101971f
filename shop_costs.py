"""The part of `shop.yml` about what WhatsApp bills: `message_costs`, the shop's own rate card."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

CATEGORIES = ("marketing", "utility", "authentication", "service")
_KEYS = ("rates", "free_service_messages", "monthly_budget")
_ANYWHERE = "default"


@dataclass(frozen=True)
class MessageCosts:
    """Rates by category and country, in the shop's currency; allowance and budget are a month's."""

    rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    free_service_messages: int = 0
    monthly_budget: float | None = None

    def rate(self, category: str, country: str | None) -> float | None:
        """What one message costs; None when the rate card does not say."""
        by_country = self.rates.get(category, {})
        return by_country.get(country or "", by_country.get(_ANYWHERE))


def message_costs(value: Any) -> MessageCosts:
    """The rate card. Raises ValueError with the remedy."""
    if not isinstance(value, dict):
        raise ValueError("'message_costs' must hold rates. Remedy: {rates: {utility: 0.0014}}.")
    for key in value:
        if key not in _KEYS:
            nearest = get_close_matches(str(key), _KEYS, 1, 0.0)[0]
            raise ValueError(f"message_costs: there is no key '{key}'. Remedy: '{nearest}', or remove it.")
    rates = value.get("rates") or {}
    if not isinstance(rates, dict):
        raise ValueError("message_costs.rates must be lines such as 'utility: 0.0014'.")
    free, budget = value.get("free_service_messages", 0), value.get("monthly_budget")
    if isinstance(free, bool) or not isinstance(free, int) or free < 0:
        raise ValueError(f"message_costs.free_service_messages must be a whole number, not {free!r}.")
    return MessageCosts(
        {category: _by_country(category, rate) for category, rate in rates.items()},
        free,
        None if budget is None else _amount("monthly_budget", budget),
    )


def _by_country(category: Any, rate: Any) -> Mapping[str, float]:
    if category not in CATEGORIES:
        nearest = get_close_matches(str(category), CATEGORIES, 1, 0.0)[0]
        raise ValueError(f"message_costs.rates: there is no category '{category}'. Remedy: '{nearest}'.")
    if not isinstance(rate, dict):
        return {_ANYWHERE: _amount(category, rate)}
    import phonenumbers

    # YAML reads the country code NO as false.
    named = {"NO" if country is False else str(country): amount for country, amount in rate.items()}
    for country in named:
        if country != _ANYWHERE and country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"message_costs.rates.{category}: '{country}' is no country. Remedy: IN, or default.")
    return {country: _amount(f"{category}.{country}", amount) for country, amount in named.items()}


def _amount(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"message_costs: {where} must be an amount such as 0.0014, not {value!r}.")
    return float(value)
