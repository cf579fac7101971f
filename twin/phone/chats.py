"""What stands on each customer's phone: messages in order, ticks, unread counts; and the browsers that watch."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from twin.phone.customers import Customer

TYPING_S = 25.0
RANK = {"sending": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}


@dataclass
class ChatMessage:
    """One bubble. `content` has Graph's shape: the type and the object of its name.

    `status` is what the sender sees: sending, sent, delivered, read or failed.
    """

    wamid: str
    author: str
    at: float
    content: dict[str, Any]
    status: str
    reply_to: str | None = None
    callback_data: str | None = None
    reaction: str | None = None
    chosen: list[str] = field(default_factory=list)
    trouble: str | None = None
    billed: dict[str, Any] | None = None  # `pricing` of its statuses

    def advance(self, status: str) -> bool:
        """Move the ticks forward, never back; whether they moved."""
        if RANK[status] <= RANK[self.status]:
            return False
        self.status = status
        return True

    def for_browser(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass
class Chat:
    """One customer's conversation with the shop."""

    customer: Customer
    messages: list[ChatMessage] = field(default_factory=list)
    by_wamid: dict[str, ChatMessage] = field(default_factory=dict)
    last_inbound_at: float | None = None
    typing_until: float = 0.0

    def add(self, message: ChatMessage) -> None:
        self.messages.append(message)
        self.by_wamid[message.wamid] = message

    @property
    def unread(self) -> list[ChatMessage]:
        """The shop's messages that the customer has not looked at."""
        return [m for m in self.messages if m.author == "shop" and m.status not in ("read", "failed")]

    def summary(self) -> dict[str, Any]:
        """The line in the list of chats."""
        last = self.messages[-1] if self.messages else None
        return {
            **self.customer.for_browser(),
            "unread": len(self.unread),
            "last": last.for_browser() if last else None,
            "typing_s": max(0.0, self.typing_until - time.time()),
        }


class Feed:
    """Tells every open browser what changed, in order."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[dict[str, Any] | None]] = set()

    @property
    def watched(self) -> bool:
        return bool(self._watchers)

    def subscribe(self) -> asyncio.Queue[dict[str, Any] | None]:
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[dict[str, Any] | None]) -> None:
        self._watchers.discard(queue)

    def tell(self, event: str, **data: Any) -> None:
        for queue in self._watchers:
            queue.put_nowait({"event": event, **data})

    def close(self) -> None:
        """Ends every subscription, so that a stopping server need not wait for browsers."""
        for queue in self._watchers:
            queue.put_nowait(None)
