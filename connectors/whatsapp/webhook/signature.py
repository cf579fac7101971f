"""Is this body really from Meta?

Meta signs the bytes as sent (with its own JSON escaping), so the check runs over the raw body, before
anything parses it. https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
"""

import hmac
import re
from collections.abc import Sequence

HEADER = "x-hub-signature-256"

_FORM = re.compile(r"sha256=([0-9a-f]{64})")


def sign(body: bytes, app_secret: str) -> str:
    """The header value that Meta sends with `body`."""
    return "sha256=" + hmac.digest(app_secret.encode(), body, "sha256").hex()


def is_genuine(body: bytes, headers: Sequence[str], app_secret: str) -> bool:
    """True when exactly one header was sent, in Meta's form (lower-case hex), and it matches, in constant time.

    `headers` holds every value of X-Hub-Signature-256: two of them could mean one thing to a proxy and
    another to us. An empty secret matches nothing.
    """
    if len(headers) != 1 or not app_secret:
        return False
    if _FORM.fullmatch(headers[0]) is None:
        return False
    return hmac.compare_digest(headers[0].encode("ascii"), sign(body, app_secret).encode("ascii"))
