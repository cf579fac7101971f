"""What Redis remembers of its layout: its number, and which messages were taken under the one before."""

from collections.abc import Iterable
from typing import Any

STATE = "wa:layout"
"""Hash: `layout` is the number, `moved_at` when everything was moved into it (absent in a Redis that began with it)."""
REMEMBER_IDS_S = 8 * 24 * 3600


def known_before(entry_id: str) -> str:
    """Exists when an inbox entry of this id was taken under the layout before, which did not say whose it was."""
    return f"wa:before:seen:{entry_id}"


class Legacy:
    """Messages that were taken before the layout changed: Meta may deliver one again for a week."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._until: float | None = None

    async def remembered_until(self) -> float:
        """Epoch seconds; 0 when nothing was moved. Raises redis.RedisError."""
        if self._until is None:
            moved_at = await self._client.hget(STATE, "moved_at")
            self._until = float(moved_at) + REMEMBER_IDS_S if moved_at else 0.0
        return self._until

    async def known(self, entry_ids: Iterable[str]) -> set[str]:
        """Those that were taken. Raises redis.RedisError."""
        ids = list(entry_ids)
        answers = await self._client.ask([("EXISTS", known_before(one)) for one in ids])
        return {one for one, answer in zip(ids, answers, strict=True) if answer}
