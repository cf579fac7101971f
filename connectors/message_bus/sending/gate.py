"""When sending stops for all: what closes it, and how a probe finds out that it is over."""

import random
import time

OUTAGE_FAILURES = 10
OUTAGE_CUSTOMERS = 3


class Gate:
    """Open, or closed for all until a time, with one probe at a time let through after it."""

    def __init__(self) -> None:
        self._closed_until = 0.0
        self._probing = False
        self.reason: str | None = None

    def delay_s(self, parked: int = 0) -> float:
        """0 when the caller may send now (when closed before: as the probe), else how long to wait.

        `parked` is how many ask: the more, the less often each does.
        """
        if self.reason is None:
            return 0.0
        left = self._closed_until - time.monotonic()
        if left > 0 or self._probing:
            return max(left, 0.2) + random.uniform(0, max(0.2, parked / 1000))  # noqa: S311 (jitter)
        self._probing = True
        return 0.0

    def close(self, reason: str, delay_s: float) -> None:
        """Nobody sends for the delay; then one at a time until one succeeds."""
        self.reason, self._closed_until = reason, time.monotonic() + delay_s
        self._probing = False

    def release_probe(self) -> None:
        """The probe ended for a reason of its own and says nothing about the gate."""
        self._probing = False

    def open(self) -> None:
        """A message got through."""
        self.reason, self._probing = None, False


class Outage:
    """Tells that nothing gets through any more, from one customer whose messages do not."""

    def __init__(self) -> None:
        self._failures = 0
        self._customers: set[str] = set()
        self.last_success_at = 0.0

    def failed(self, customer: str) -> bool:
        """An attempt failed for no reason of its own. Whether nothing gets through any more."""
        self._failures += 1
        if len(self._customers) < OUTAGE_CUSTOMERS:
            self._customers.add(customer)
        return self._failures >= OUTAGE_FAILURES and len(self._customers) >= OUTAGE_CUSTOMERS

    def over(self) -> None:
        """A message got through."""
        self._failures, self.last_success_at = 0, time.monotonic()
        self._customers.clear()
