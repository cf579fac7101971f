"""What Meta's error codes ask us to do: each is one of the bus's errors (`connectors.message_bus.sending.errors`).

Meta reports throttling with HTTP 400, so its error code decides, then `is_transient`, then the HTTP status.
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from connectors.message_bus.sending.errors import (
    AccountBlocked,
    AccountThrottled,
    BadPayload,
    MarketingRefused,
    MediaFailed,
    NumberThrottled,
    QualityLimited,
    RecipientThrottled,
    RecipientUnreachable,
    SendError,
    Transient,
    Unauthorised,
    Unknown,
    WindowClosed,
)

_BY_CODE: dict[int, type[SendError]] = {
    130429: NumberThrottled,
    131056: RecipientThrottled,
    **dict.fromkeys((4, 17, 32, 341, 613, 80007), AccountThrottled),
    **dict.fromkeys((131048, 131064), QualityLimited),
    131047: WindowClosed,
    **dict.fromkeys((0, 3, 10, 102, 104, 190, *range(200, 300), 131005), Unauthorised),
    **dict.fromkeys((33, 368, 130497, 131031, 131037, 131042, 131045, *range(133000, 133017)), AccountBlocked),
    **dict.fromkeys((1, 2, 131000, 131016, 131057, 133004), Transient),
    **dict.fromkeys((131021, 131026, 131030, 131062), RecipientUnreachable),
    **dict.fromkeys((100, 131008, 131009, 131051, *range(132000, 133000), 135000), BadPayload),
    **dict.fromkeys((131052, 131053), MediaFailed),
    **dict.fromkeys((130472, 131049, 131050, 131063), MarketingRefused),
}


NO_SUCH_OBJECT = (100, 33)  # code and subcode: the number's id is wrong, or the token may not see it


def classify(
    code: int | None, http_status: int | None = None, is_transient: bool = False, subcode: int | None = None
) -> type[SendError]:
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
