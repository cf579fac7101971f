"""Graph's bad days, on demand: errors, hangs, slowness, answers that never arrive, statuses that say failed."""

from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("error", "html", "reset", "hang", "slow", "accept_then_hang", "accept_then_reset", "failed_status")
CALLS = ("send", "read", "upload", "any")


class FaultInvalid(ValueError):
    """A fault that cannot be set; the message says why."""


@dataclass
class Fault:
    """One switch. `times` counts down at each use (None: until cleared); `customer` narrows it to one addressee.

    kinds: error (Meta's error JSON with `code`, HTTP status `http` or the code's own), html (a proxy's page, `http`
    or 502), reset (connection cut before anything is stored), hang (nothing stored, no answer for `seconds`), slow
    (accepted after `seconds`), accept_then_hang and accept_then_reset (accepted, the answer is lost), failed_status
    (accepted, then a failed status with `code`).
    """

    kind: str
    times: int | None = 1
    code: int = 131000
    http: int | None = None
    seconds: float = 30.0
    customer: str | None = None
    call: str = "send"
    used: int = 0

    def matches(self, call: str, customer: str | None) -> bool:
        return self.call in (call, "any") and self.customer in (None, customer) and self.times != 0


def fault_from(data: dict[str, Any]) -> Fault:
    """Read a control request. Raises FaultInvalid."""
    try:
        fault = Fault(**data)
    except TypeError as error:
        raise FaultInvalid(str(error)) from None
    if fault.kind not in KINDS or fault.call not in CALLS:
        raise FaultInvalid(f"kind is one of {', '.join(KINDS)}; call is one of {', '.join(CALLS)}.")
    if fault.customer is not None:
        fault.customer = fault.customer.lstrip("+")
    return fault


class Faults:
    """The switches that are set, first come first used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def take(self, call: str, customer: str | None) -> Fault | None:
        """The fault that hits this call, counted down; None on a good day."""
        for fault in self._faults:
            if fault.matches(call, customer):
                fault.used += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def listing(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]
