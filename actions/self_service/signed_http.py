"""The shop's own HTTP API: `POST {SHOP_API_URL}/orders/{order_id}/{action}`, signed as Meta signs its webhooks.

2xx: done. 409 with `{"reason"}`: refused. Whatever else comes, or nothing, is no answer.
"""

import hashlib
import hmac
import json
from urllib.parse import quote

from actions.self_service.acts import ADDRESS, CANCEL, DONE, REFUSED, RETURNS, Act, Answer, plain
from actions.self_service.calling import CALL_S, call, no_answer, trusted

SIGNATURE = "X-Shop-Signature-256"


class SignedHttpApi:
    """Asks `url`, signing with `secret`."""

    can = (CANCEL, ADDRESS, RETURNS)

    def __init__(self, url: str, secret: str, attempt_s: float = CALL_S) -> None:
        self._url, self._secret, self._attempt_s = url.rstrip("/"), secret, attempt_s
        trusted()

    async def attempt(self, act: Act) -> Answer:
        raw = json.dumps(act.body).encode()
        signature = hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: f"sha256={signature}", "Idempotency-Key": act.key, "Content-Type": "application/json"}
        url = f"{self._url}/orders/{quote(act.order_id, safe='')}/{act.action}"
        answered = await call("POST", url, headers, raw, self._attempt_s, reads=(409,))
        if isinstance(answered, Answer):
            return answered
        if 200 <= answered.status < 300:
            return Answer(DONE)
        if answered.status == 409:
            return Answer(REFUSED, reason=plain(answered.content.get("reason")))
        return no_answer(answered)
