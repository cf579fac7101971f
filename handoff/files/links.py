"""Links to customers' files: signed, so that nobody guesses them, and served by us (`connectors/zendesk.py`)."""

import hashlib
import hmac


def media_signature(media_id: str, key: str) -> str:
    """What makes a link to a customer's file ours: 160 bits."""
    return hmac.new(key.encode(), f"media:{media_id}".encode(), hashlib.sha256).hexdigest()[:40]


def file_line(media_id: str, kind: str, filename: str, public_url: str | None, key: str) -> str:
    """A file as a ticket shows it: what it is, and where agents' browsers find it, if they can."""
    name = f"{kind} {filename}".strip()
    if not (public_url and media_id):
        return f"[{name}]"
    return f"[{name}: {public_url}/webhooks/zendesk/media/{media_id}/{media_signature(media_id, key)}]"
