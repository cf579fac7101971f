"""Meta's way of refusing: one JSON shape, and the error code decides, not the HTTP status.

Most refusals, throttling included, come with HTTP 400.
"""

import secrets
from dataclasses import dataclass
from typing import Any

TITLES = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    33: "Parameter value is not valid",
    100: "Invalid parameter",
    190: "Invalid OAuth access token - Cannot parse access token",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131031: "Business account has been locked",
    131042: "Business eligibility payment issue",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "Message not delivered to maintain healthy ecosystem engagement",
    131051: "Unsupported message type",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131057: "Account in maintenance mode",
    131062: "Business-scoped user ID recipients are not supported for this message",
    133004: "Server temporarily unavailable",
}
HTTP_STATUS = {2: 503, 131000: 500, 131016: 503, 133004: 503, 131057: 500, 190: 401, 10: 403, 131005: 403}
TRANSIENT = frozenset({2, 131000, 131016, 133004, 131057})


@dataclass(frozen=True)
class Refusal:
    """One refusal: Meta's code, what a developer is told, and optionally a sub-code."""

    code: int
    details: str
    subcode: int | None = None
    http: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return self.http or HTTP_STATUS.get(self.code, 400)

    def body(self) -> dict[str, Any]:
        """The response body, as Graph answers it."""
        title = TITLES.get(self.code, "Something went wrong")
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.details if self.code == 100 else title}",
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": "A" + secrets.token_urlsafe(16)[:22],
        }
        if self.code != 190:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.code in TRANSIENT:
            error["is_transient"] = True
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error}

    def for_status(self) -> dict[str, Any]:
        """The same as an entry of a failed status's `errors`."""
        title = TITLES.get(self.code, "Something went wrong")
        return {
            "code": self.code,
            "title": title,
            "message": title,
            "error_data": {"details": self.details},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }
