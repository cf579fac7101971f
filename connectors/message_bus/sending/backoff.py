"""When a reply that was not accepted is tried again, by the kind of error."""

import random
from dataclasses import dataclass

from connectors.message_bus.sending.errors import (
    AccountThrottled,
    NumberThrottled,
    RecipientThrottled,
    SendError,
    Stopped,
)

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
PROBE_S = 20.0


@dataclass
class Progress:
    """What this process knows about one reply beyond what Redis holds."""

    attempt: str = ""
    failures: int = 0
    unknown_since: float = 0.0
    settle_until: float = 0.0
    in_doubt: bool = False  # an attempt is on record whose outcome is not known
    form: str = "own"  # plain: as plain text; otherwise: what is sent when the window has closed


def delay_s(
    failures: int, error: SendError, first_s: float = FIRST_BACKOFF_S, probe_s: float = PROBE_S
) -> float:
    """How long to wait after the n-th failure: the error's own wish, else by its class, with jitter."""
    if error.retry_after_s is not None:
        return error.retry_after_s
    doubled = 2.0 ** min(failures - 1, 10)
    if isinstance(error, RecipientThrottled):
        delay = 4.0 ** min(failures - 1, 4)
    elif isinstance(error, AccountThrottled):
        delay = min(60 * doubled, 3600)
    elif isinstance(error, Stopped):
        return probe_s
    elif isinstance(error, NumberThrottled):
        delay = min(doubled, MAX_BACKOFF_S)
    else:
        delay = min(first_s * doubled, MAX_BACKOFF_S)
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
