"""WhatsApp between the phones and the shop: customers' words to the webhook, the shop's messages to the phones."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from twin.configuration import TwinConfiguration
from twin.phone.chats import TYPING_S, Chat, ChatMessage, Feed
from twin.phone.customers import Customer, demo_customers, with_phone, without_phone
from twin.whatsapp.faults import Faults
from twin.whatsapp.graph_errors import Refusal
from twin.whatsapp.inbound import content_of
from twin.whatsapp.media import MediaStore
from twin.whatsapp.notifications import (
    inbound_message,
    message_value,
    new_wamid,
    notification,
    pricing,
    status_value,
)
from twin.whatsapp.records import Accepted, Habits, Records
from twin.whatsapp.webhooks import Attempt, WebhookSender

SERVICE_WINDOW_S = 24 * 3600
PAIR_BURST = 45
PAIR_REFILL_S = 6.0
REORDERED_BY_S = 1.5
STILL_TRYING = "The assistant does not answer yet. WhatsApp keeps trying."


class Network:
    """Everything between the phones and the shop. One a twin; not thread-safe, lives in one event loop."""

    def __init__(self, configuration: TwinConfiguration, webhooks: WebhookSender) -> None:
        self.configuration = configuration
        self.webhooks = webhooks
        self.feed = Feed()
        self.faults = Faults()
        self.media = MediaStore()
        self.habits = Habits()
        self.records = Records()
        self.chats: dict[str, Chat] = {}
        self.wrote = asyncio.Condition()
        self._locks: dict[str, asyncio.Lock] = {}
        self._on_the_way: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pair_tokens: dict[str, tuple[float, float]] = {}
        self._service_messages: Counter[str] = Counter()  # by month

    def chat(self, customer: Customer) -> Chat:
        """The customer's chat, new if they never wrote or were written to."""
        return self.chats.setdefault(customer.key, Chat(customer))

    def find(self, key: str) -> Chat:
        """The chat of a wa_id, a phone number or a user id; unknown ones become customers. Raises ValueError."""
        key = key if re.search(r"[A-Za-z]", key) else re.sub(r"\D", "", key)
        if key not in self.chats:
            self.load_demo_customers()
        if key not in self.chats:
            self.chat(with_phone(key) if key.isdigit() else without_phone(key, key))
        return self.chats[key]

    def load_demo_customers(self) -> None:
        for customer in demo_customers(self.configuration.state_dir):
            self.chat(customer)

    def recall(self, chats: list[Chat]) -> None:
        """Chats of an earlier start. What the assistant had not taken then is delivered now."""
        for chat in chats:
            self.chats[chat.customer.key] = chat
            for message in chat.messages:
                if message.author == "customer" and message.status in ("sending", "sent"):
                    value = message_value(chat.customer, [self._as_inbound(chat, message)])
                    self._spawn(self._deliver_in_order(chat, [message], [value]))

    def start_over(self, chat: Chat) -> None:
        """The customer's phone is as new."""
        self.chats[chat.customer.key] = Chat(chat.customer)  # in its place in the list
        self.feed.tell("reset")

    # -- from the phones to the shop

    def write(self, chat: Chat, request: dict[str, Any], copies: int = 1) -> ChatMessage:
        """The customer sends something (`inbound.content_of` says what); `copies` deliver it more than once."""
        message = self._compose(chat, request)
        value = message_value(chat.customer, [self._as_inbound(chat, message)])
        for _ in range(copies * max(1, self.habits.copies)):
            self._spawn(self._deliver_in_order(chat, [message], [value]))
        return message

    def write_batch(self, requests: list[tuple[Chat, dict[str, Any]]]) -> list[ChatMessage]:
        """Several messages of any customers in one notification, as Meta sends them after an outage."""
        composed = [(chat, self._compose(chat, request)) for chat, request in requests]
        values = [message_value(chat.customer, [self._as_inbound(chat, message)]) for chat, message in composed]
        self._spawn(self.webhooks.deliver(notification(self.configuration, values)))
        return [message for _, message in composed]

    def _compose(self, chat: Chat, request: dict[str, Any]) -> ChatMessage:
        content = content_of(request, chat, self.media)
        at = request.get("at") or time.time()
        wamid = request.get("wamid") or new_wamid(chat.customer.key, outbound=False)
        interactive = request.get("kind") in ("button_reply", "list_reply") or request.get("own")
        reply_to = request.get("reply_to") or (request.get("to") if interactive else None)
        message = ChatMessage(wamid, "customer", at, content, "sent", reply_to)
        tapped = chat.by_wamid.get(request.get("to") or "")
        if tapped is not None:
            self.publish(chat, tapped)
        chat.last_inbound_at = max(at, chat.last_inbound_at or 0)
        if content["type"] == "reaction":
            self._react(chat, content["reaction"], "customer")
        else:
            chat.add(message)
            self.publish(chat, message)
        return message

    def _as_inbound(self, chat: Chat, message: ChatMessage) -> dict[str, Any]:
        return inbound_message(
            chat.customer, message.wamid, message.at, message.content, message.reply_to, self.configuration
        )

    async def _deliver_in_order(self, chat: Chat, messages: list[ChatMessage], values: list[dict[str, Any]]) -> None:
        """One customer's messages reach the webhook one after the other; customers do not wait for each other."""
        lock = self._locks.setdefault(chat.customer.key, asyncio.Lock())

        def note(attempt: Attempt) -> None:
            for message in messages:
                message.trouble = None if attempt.accepted else STILL_TRYING
                if attempt.accepted:
                    message.advance("delivered")
                self.publish(chat, message)

        await asyncio.sleep(self.habits.late_s)
        if self.habits.reordered:
            await asyncio.sleep(random.uniform(0, REORDERED_BY_S))  # noqa: S311 (no secret)
            lock = asyncio.Lock()
        async with lock:
            await self.webhooks.deliver(notification(self.configuration, values), note)

    # -- from the shop to the phones

    def refuse(self, to: str, is_template: bool) -> Refusal | None:
        """Why this addressee cannot be written to now; None when it can."""
        if to == self.configuration.shop_phone:
            return Refusal(131021, "Sender and recipient phone numbers are the same.")
        chat = self.chats.get(to)
        last = chat.last_inbound_at if chat else None
        outside = last is None or time.time() - last > SERVICE_WINDOW_S
        if self.habits.window_rule and outside and not is_template:
            details = "Message failed to send because more than 24 hours have passed since the customer last replied."
            return Refusal(131047, details)
        if self.habits.pair_rate and not self._take_pair_token(to):
            details = "Too many messages sent from this phone number to the same phone number in a short time."
            return Refusal(131056, details)
        return None

    def _take_pair_token(self, to: str) -> bool:
        """A burst of 45, then one every 6 seconds."""
        tokens, at = self._pair_tokens.get(to, (float(PAIR_BURST), time.monotonic()))
        now = time.monotonic()
        tokens = min(PAIR_BURST, tokens + (now - at) / PAIR_REFILL_S)
        granted = tokens >= 1
        self._pair_tokens[to] = (tokens - granted, now)
        return granted

    def accept(self, to: str, body: dict[str, Any], failing: Refusal | None = None) -> str:
        """Put the shop's message on the customer's phone; its wamid. `failing` makes its status say failed."""
        chat = self.find(to)
        wamid = new_wamid(to, outbound=True)
        kind = body.get("type", "text")
        content = {"type": kind, kind: body[kind]}
        context = body.get("context", {}).get("message_id")
        callback_data = body.get("biz_opaque_callback_data")
        message = ChatMessage(wamid, "shop", time.time(), content, "sent", context, callback_data)
        message.billed = self._bill(chat, is_template=kind == "template")
        self.records.accepted.append(Accepted(len(self.records.accepted), message.at, to, wamid, body))
        chat.typing_until = 0
        if kind == "reaction":
            self._react(chat, content["reaction"], "shop")
        else:
            chat.add(message)
            self.publish(chat, message)
        self._spawn(self._announce())
        self._spawn(self._life_of(chat, message, failing))
        return wamid

    def _bill(self, chat: Chat, is_template: bool) -> dict[str, Any]:
        month = time.strftime("%Y-%m", time.gmtime())
        self._service_messages[month] += not is_template
        window_open = chat.last_inbound_at is not None and time.time() - chat.last_inbound_at <= SERVICE_WINDOW_S
        return pricing(is_template, window_open, self._service_messages[month])

    def mark_read(self, wamid: str, typing: bool) -> None:
        """The shop has read up to this message, and may be typing."""
        chat = next((chat for chat in self.chats.values() if wamid in chat.by_wamid), None)
        if chat is None:
            return
        for message in chat.messages:
            if message.author == "customer" and message.advance("read"):
                self.publish(chat, message)
            if message.wamid == wamid:
                break
        if typing:
            chat.typing_until = time.time() + TYPING_S
            self.feed.tell("typing", key=chat.customer.key, seconds=TYPING_S)

    def look_at(self, chat: Chat) -> None:
        """The customer has the chat open: it is read, and the shop is told once it knows of the delivery."""
        for message in chat.unread:
            message.advance("read")
            self.publish(chat, message)
            if message.wamid not in self._on_the_way:
                self._spawn(self._send_status(chat, message, "read"))

    async def _life_of(self, chat: Chat, message: ChatMessage, failing: Refusal | None) -> None:
        """The statuses of one message, in the order of `habits`; a read one waits for eyes when browsers watch."""
        if failing is not None:
            await asyncio.sleep(self.habits.status_delay_s)
            message.advance("failed")
            message.trouble = failing.details
            self.publish(chat, message)
            await self._send_status(chat, message, "failed", failing)
            return
        self._on_the_way.add(message.wamid)
        try:
            for status in self.habits.statuses:
                await asyncio.sleep(self.habits.status_delay_s)
                if status == "read" and self.feed.watched and message.status != "read":
                    continue
                if message.advance(status):
                    self.publish(chat, message)
                await self._send_status(chat, message, status)
        finally:
            self._on_the_way.discard(message.wamid)

    async def _send_status(
        self, chat: Chat, message: ChatMessage, status: str, failing: Refusal | None = None
    ) -> None:
        error = failing.for_status() if failing else None
        value = status_value(chat.customer, message.wamid, status, message.callback_data, error, message.billed)
        await self.webhooks.deliver(notification(self.configuration, [value]))

    def _react(self, chat: Chat, reaction: dict[str, Any], author: str) -> None:
        target = chat.by_wamid.get(reaction["message_id"])
        if target is not None and target.author != author:
            target.reaction = reaction.get("emoji") or None
            self.publish(chat, target)

    # -- housekeeping

    def publish(self, chat: Chat, message: ChatMessage) -> None:
        """Tell the browsers that a message is new or has changed."""
        self.feed.tell("message", key=chat.customer.key, message=message.for_browser(), unread=len(chat.unread))

    async def _announce(self) -> None:
        async with self.wrote:
            self.wrote.notify_all()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reset(self) -> None:
        """Forget everything: chats, records, faults, habits, and webhooks still to be delivered."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.faults.clear()
        self.media.clear()
        self.chats.clear()
        self._locks.clear()
        self._pair_tokens.clear()
        self.habits = Habits()
        self.records = Records()
        self.webhooks.attempts.clear()
        self.feed.tell("reset")

    async def close(self) -> None:
        self.feed.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()
