"""Plays a scenario at human speed (or at once, for tests), and tells what held."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from twin.helpdesk.account import Helpdesk
from twin.helpdesk.tickets import Ticket
from twin.phone.chats import Chat, ChatMessage
from twin.scenarios.script import Script, options, words
from twin.whatsapp.faults import Fault
from twin.whatsapp.network import Network

PAUSE_S = 1.4
PER_CHARACTER_S = 0.03
ANSWER_WITHIN_S = 25.0
POLL_S = 0.05
StartOver = Callable[[Chat], Awaitable[None]]


class Unmet(AssertionError):
    """Something expected did not come; the message says what came instead."""


@dataclass
class Played:
    """How far it got: for each step, True, False or None (not yet); and why one failed."""

    script: Script
    held: list[bool | None] = field(default_factory=list)
    problem: str = ""
    customer: str = ""
    over: bool = False

    def for_browser(self) -> dict[str, Any]:
        steps = [
            [what, how, self.held[n] if n < len(self.held) else None] for n, (what, how) in enumerate(self.script.steps)
        ]
        return {"key": self.script.key, "name": self.script.name, "customer": self.customer, "steps": steps,
                "problem": self.problem, "over": self.over}  # fmt: skip


class Player:
    """One scenario at a time. `start_over` lets a customer begin as one who never wrote."""

    def __init__(self, network: Network, helpdesk: Helpdesk, start_over: StartOver) -> None:
        self._network, self._helpdesk, self._start_over = network, helpdesk, start_over
        self.played: Played | None = None

    async def play(self, script: Script, speed: float = 1.0) -> Played:
        """To its end or to the first step that does not hold. `speed` 0 leaves out the pauses."""
        played = self.played = Played(script)
        habits = self._network.habits
        chat = self._chat_of(script.customer)
        played.customer = chat.customer.key
        self._tell(played)
        try:
            await self._start_over(chat)
            chat = self._chat_of(script.customer)
            stage = _Stage(self._network, self._helpdesk, chat, speed)
            for what, how in script.steps:
                await stage.step(what, how)
                played.held.append(True)
                self._tell(played)
        except (Unmet, web.HTTPException) as unmet:
            played.held.append(False)
            played.problem = str(unmet)
        finally:
            self._network.faults.clear()
            self._network.habits = habits
            played.over = True
            self._tell(played)
        return played

    def _chat_of(self, name: str) -> Chat:
        self._network.load_demo_customers()
        found = next((chat for chat in self._network.chats.values() if chat.customer.name == name), None)
        return found or self._network.find(name)

    def _tell(self, played: Played) -> None:
        self._network.feed.tell("scenario", played=played.for_browser())


class _Stage:
    """The customer's phone and the agent's desk while a scenario plays."""

    def __init__(self, network: Network, helpdesk: Helpdesk, chat: Chat, speed: float) -> None:
        self._network, self._helpdesk, self._chat, self._speed = network, helpdesk, chat, speed
        self._read = len(chat.messages)

    async def step(self, what: str, how: Any) -> None:
        """Raises Unmet."""
        await getattr(self, f"_{what}")(how)

    async def _says(self, text: str) -> None:
        await asyncio.sleep(self._speed * (PAUSE_S + PER_CHARACTER_S * len(text)))
        self._read = len(self._chat.messages) + 1
        self._network.write(self._chat, {"kind": "text", "text": text})

    async def _taps(self, title: str) -> None:
        await asyncio.sleep(self._speed * PAUSE_S)
        for message in reversed(self._from_shop(0)):
            for option in options(message):
                if option["title"] == title:
                    kind = "button_reply" if message.content["interactive"]["type"] == "button" else "list_reply"
                    self._read = len(self._chat.messages) + 1
                    request = {"kind": kind, "to": message.wamid, "id": option["id"], "title": title}
                    self._network.write(self._chat, request)
                    return
        raise Unmet(f"There is no button “{title}”.")

    async def _reads(self, expected: Any) -> None:
        wanted = [expected] if isinstance(expected, str) else list(expected)

        def missing() -> list[str]:
            said = "\n".join(words(message) for message in self._from_shop(self._read)).lower()
            return [word for word in wanted if str(word).lower() not in said]

        if not await _until(lambda: bool(self._from_shop(self._read)) and not missing(), ANSWER_WITHIN_S):
            said = " / ".join(words(message) for message in self._from_shop(self._read)) or "nothing"
            raise Unmet(f"Expected {', '.join(map(repr, missing()))}; what came: {said[:300]}")
        self._read = len(self._chat.messages)

    async def _hears_nothing(self, seconds: float) -> None:
        if await _until(lambda: bool(self._from_shop(self._read)), float(seconds)):
            raise Unmet(f"Expected silence; what came: {words(self._from_shop(self._read)[0])[:300]}")

    async def _agent(self, text: str) -> None:
        ticket = await self._ticket_of()
        await asyncio.sleep(self._speed * (PAUSE_S + PER_CHARACTER_S * len(text)))
        self._read = len(self._chat.messages)
        self._helpdesk.reply(ticket.id, text, True, None, [])

    async def _solves(self, _: Any) -> None:
        ticket = await self._ticket_of()
        await asyncio.sleep(self._speed * PAUSE_S)
        self._read = len(self._chat.messages)
        self._helpdesk.reply(ticket.id, "", True, "solved", [])

    async def _ticket(self, priority: str) -> None:
        ticket = await self._ticket_of()
        if not await _until(lambda: ticket.fields["priority"] == priority, ANSWER_WITHIN_S):
            raise Unmet(f"Expected the priority {priority}; it is {ticket.fields['priority']}.")

    async def _ticket_of(self) -> Ticket:
        tickets = self._helpdesk.tickets

        def found() -> list[Ticket]:
            users = {one for one, user in tickets.users.items() if user.get("phone") == self._chat.customer.phone}
            return [one for one in tickets.tickets.values() if one.fields["requester_id"] in users]

        if not await _until(lambda: bool(found()), ANSWER_WITHIN_S):
            raise Unmet("Expected a ticket; there is none.")
        return found()[-1]

    async def _breaks(self, how: dict[str, Any]) -> None:
        if "graph" in how:
            self._network.faults.add(Fault("error", times=how.get("times", 1), http=int(how["graph"])))
        if "webhooks" in how:
            self._network.habits = replace(self._network.habits, copies=int(how["webhooks"]))

    def _from_shop(self, since: int) -> list[ChatMessage]:
        return [message for message in self._chat.messages[since:] if message.author == "shop"]


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
