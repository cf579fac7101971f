"""When a reply that was not accepted is tried again, by the kind of error."""

import logging
import random
import time
from dataclasses import dataclass

from connectors import metrics
from connectors.message_bus.sending.errors import (
    AccountThrottled,
    NumberThrottled,
    RecipientThrottled,
    SendError,
    Stopped,
    Unknown,
)

log = logging.getLogger(__name__)

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
PROBE_S = 20.0
# How long a reply is tried that Graph refuses for a reason that nobody knows: while others get through, and while none
# does, when it is more likely Graph's trouble than the reply's.
UNKNOWN_TIMEOUT_S = 300.0
UNKNOWN_TIMEOUT_ALONE_S = 3600.0


@dataclass
class Progress:
    """What this process knows about one reply beyond what Redis holds."""

    attempt: str = ""
    failures: int = 0
    unknown_since: float = 0.0
    settle_until: float = 0.0
    in_doubt: bool = False  # an attempt is on record whose outcome is not known
    form: str = "own"  # plain: as plain text; otherwise: what is sent when the window has closed

    def given_up(self, error: Unknown, timeout_s: float, alone: bool) -> bool:
        """Note a refusal that nobody can explain; whether the reply has been tried long enough.

        `alone`: nothing else was accepted since it was first refused.
        """
        now = time.monotonic()
        if not self.unknown_since:
            self.unknown_since = now
            metrics.PARKED.labels(type(error).__name__).inc()
            log.critical("outbox.reply.parked code=%s http=%s: an error nobody knows", error.code, error.http_status)
        return now - self.unknown_since >= (UNKNOWN_TIMEOUT_ALONE_S if alone else timeout_s)


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
