"""What can go wrong at the Graph API, named by remedy.

    GraphError
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

Meta reports throttling with HTTP 400, so its error code decides, then `is_transient`, then the HTTP status.
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations


class GraphError(Exception):
    """A call that failed. The message holds code and Meta's title, never a token, a text or a phone number.

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


class Transient(GraphError):
    """Try again with backoff and jitter, within the 24-hour window."""


class Throttled(GraphError):
    """Too fast."""


class NumberThrottled(Throttled):
    """The business number sends too fast: pause all its sending, seconds to a minute."""


class RecipientThrottled(Throttled):
    """Too many messages to this customer: wait 4^n seconds for them alone."""


class AccountThrottled(Throttled):
    """The app or account has used up its calls: minutes to an hour, and alert."""


class Stopped(GraphError):
    """A person must act first. Keep the queue and alert."""


class Unauthorised(Stopped):
    """The token is wrong, expired or lacks a permission."""


class AccountBlocked(Stopped):
    """Policy, payment, registration or certificate of the account or number."""


class QualityLimited(Stopped):
    """Sending is limited for quality or spam."""


class Unknown(GraphError):
    """Graph says no and we do not know what it means: the message, its account or Graph itself may be at fault."""


class Refused(GraphError):
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


_BY_CODE: dict[int, type[GraphError]] = {
    **dict.fromkeys((1, 2, 131000, 131016, 131057, 133004), Transient),
    130429: NumberThrottled,
    131056: RecipientThrottled,
    **dict.fromkeys((4, 80007), AccountThrottled),
    **dict.fromkeys((131048, 131064), QualityLimited),
    131047: WindowClosed,
    **dict.fromkeys((0, 3, 10, 190, *range(200, 300), 131005), Unauthorised),
    **dict.fromkeys((33, 368, 130497, 131031, 131037, 131042, 131045, 133010), AccountBlocked),
    **dict.fromkeys((131021, 131026, 131030, 131062), RecipientUnreachable),
    **dict.fromkeys((100, 131008, 131009, 131051, *range(132000, 133000), 135000), BadPayload),
    **dict.fromkeys((131052, 131053), MediaFailed),
    **dict.fromkeys((130472, 131049, 131050, 131063), MarketingRefused),
}


NO_SUCH_OBJECT = (100, 33)  # code and subcode: the number's id is wrong, or the token may not see it


def classify(
    code: int | None, http_status: int | None = None, is_transient: bool = False, subcode: int | None = None
) -> type[GraphError]:
    """The class of an error, of a call as of a `failed` status (which has no HTTP status)."""
    if (code, subcode) == NO_SUCH_OBJECT:
        return AccountBlocked
    if code is not None and code in _BY_CODE:
        return _BY_CODE[code]
    if is_transient or http_status is None or http_status >= 500 or http_status in (408, 425):
        return Transient
    if http_status in (401, 403):
        return Unauthorised
    if http_status == 429:
        return NumberThrottled
    return Unknown if http_status >= 400 else Transient


_REASONS: dict[type[GraphError], str] = {
    WindowClosed: "window_closed",
    RecipientUnreachable: "recipient",
    BadPayload: "payload",
    MediaFailed: "media",
}


def why_not_delivered(kind: type[GraphError]) -> str:
    """What the log and the agent are told of a message that will never arrive."""
    return _REASONS.get(kind, "refused")
