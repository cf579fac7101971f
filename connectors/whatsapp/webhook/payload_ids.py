"""Which texts may act as Rasa payloads: only the ids of buttons that we issued.

Rasa executes any text that begins with `/` (`/restart`, `/inform{...}`). So typed text never begins with one, and
a button or list id counts as a payload only when it carries our signature for this very customer.
"""

import base64
import hashlib
import hmac

# List rows are the tighter of the two: buttons may have 256.
MAX_ID_CHARS = 200
_TAG_BYTES = 12
_TAG_CHARS = 16
_MARK = "~"
WORD_JOINER = "\u2060"


class PayloadTooLong(ValueError):
    """A button's payload does not fit into WhatsApp's id beside our signature: shorten it in the domain."""


def guard_typed_slash(text: str) -> str:
    """`text`, unable to act as a payload: Rasa strips blanks, then looks for a leading slash."""
    return WORD_JOINER + text.lstrip() if text.lstrip().startswith("/") else text


class PayloadSigner:
    """Signs and checks button ids with a key derived from the app secret."""

    max_payload_chars = MAX_ID_CHARS - len(_MARK) - _TAG_CHARS

    def __init__(self, app_secret: str) -> None:
        self._key = hmac.new(app_secret.encode(), b"button payloads", hashlib.sha256).digest()

    def sign_payload(self, customer: str, payload: str) -> str:
        """`payload~tag`, an id of at most 200 characters. Raises PayloadTooLong."""
        # Meta refuses line breaks and outer blanks in ids.
        payload = " ".join(payload.splitlines()).strip()
        if len(payload) > self.max_payload_chars:
            raise PayloadTooLong(
                f"A button payload has {len(payload)} characters; at most {self.max_payload_chars} fit."
            )
        return f"{payload}{_MARK}{self._tag(customer, payload)}"

    def verify_payload(self, customer: str, reply_id: str) -> str | None:
        """The payload of an id that we issued to this customer, else None."""
        payload, mark, tag = reply_id.rpartition(_MARK)
        if not mark or not tag.isascii():
            return None
        return payload if hmac.compare_digest(tag, self._tag(customer, payload)) else None

    def _tag(self, customer: str, payload: str) -> str:
        signed = f"{customer}\x00{payload}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, signed, hashlib.sha256).digest()[:_TAG_BYTES]
        return base64.urlsafe_b64encode(digest).decode()
