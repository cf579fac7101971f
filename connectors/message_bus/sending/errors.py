"""Why a message could not be sent, named by remedy.

    SendError
    ├── Transient              try again with backoff (also: no connection, timeouts, HTTP 5xx)
    ├── Throttled
    │   ├── NumberThrottled    pause the whole sender for seconds
    │   ├── RecipientThrottled pause this customer only (4^n seconds); the others go on
    │   └── AccountThrottled   pause for minutes to an hour, and alert
    ├── Stopped                nothing will get through until a person acts: stop, keep the queue, alert
    │   ├── Unauthorised       the access token or its permissions
    │   ├── AccountBlocked     policy, payment or registration of the account
    │   └── QualityLimited     too many complaints: only replies, and alert
    ├── Unknown                a refusal that nobody can explain: try again for a while, alert, then a person must look
    └── Refused                this message will never get through: do not try again
        ├── WindowClosed       24 hours since the customer last wrote: only a template could
        ├── RecipientUnreachable
        ├── BadPayload         our mistake: one plain-text fallback may work
        ├── MediaFailed        the media could not be fetched: send its link as text
        └── MarketingRefused   limits on marketing messages
"""


class SendError(Exception):
    """A message that was not sent. The error's words hold code and title, never a token, a text or a phone number.

    `ambiguous`: the request may have been carried out all the same (a timeout after it was sent).
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        self.ambiguous = ambiguous


class Transient(SendError):
    """Try again with backoff and jitter, within the 24-hour window."""


class Throttled(SendError):
    """Too fast."""


class NumberThrottled(Throttled):
    """The business number sends too fast: pause all its sending, seconds to a minute."""


class RecipientThrottled(Throttled):
    """Too many messages to this customer: wait 4^n seconds for them alone."""


class AccountThrottled(Throttled):
    """The app or account has used up its calls: minutes to an hour, and alert."""


class Stopped(SendError):
    """A person must act first. Keep the queue and alert."""


class Unauthorised(Stopped):
    """The token is wrong, expired or lacks a permission."""


class AccountBlocked(Stopped):
    """Policy, payment, registration or certificate of the account or number."""


class QualityLimited(Stopped):
    """Sending is limited for quality or spam."""


class Unknown(SendError):
    """Graph says no and we do not know what it means: the message, its account or Graph itself may be at fault."""


class Refused(SendError):
    """This message will not get through."""


class WindowClosed(Refused):
    """The customer last wrote more than 24 hours ago."""


class RecipientUnreachable(Refused):
    """Not on WhatsApp, blocked us, or cannot be written to by user_id."""


class BadPayload(Refused):
    """Meta does not accept the body."""


class MediaFailed(Refused):
    """Meta could not get or process the media."""


class MarketingRefused(Refused):
    """Only marketing messages meet this."""


_REASONS: dict[type[SendError], str] = {
    WindowClosed: "window_closed",
    RecipientUnreachable: "recipient",
    BadPayload: "payload",
    MediaFailed: "media",
}


def why_not_delivered(kind: type[SendError]) -> str:
    """What the log and the agent are told of a message that will never arrive."""
    return _REASONS.get(kind, "refused")
