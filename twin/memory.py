"""What the twin remembers when it is started again: chats and tickets, as the product remembers its own side of them.

A file in STATE_DIR, which the product's databases are in as well: they are remembered together and, when the folder
goes, forgotten together. Pictures and faults are not kept.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from twin.helpdesk.account import Helpdesk
from twin.helpdesk.tickets import Ticket
from twin.phone.chats import Chat, ChatMessage
from twin.phone.customers import Customer
from twin.whatsapp.network import Network

log = logging.getLogger(__name__)

FILE = "twin.json"
EVERY_S = 1.0


class Memory:
    """Saved a second after something changed, and at the end; read once at the start."""

    def __init__(self, folder: Path, network: Network, helpdesk: Helpdesk) -> None:
        self._file = folder / FILE
        self._network, self._helpdesk = network, helpdesk
        self._saved: Any = None

    def add_to(self, app: web.Application) -> None:
        app.cleanup_ctx.append(self._lifetime)

    async def _lifetime(self, app: web.Application) -> AsyncIterator[None]:
        self.recall()
        saving = asyncio.create_task(self._keep_saving())
        yield
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        self.save()

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.save()

    def save(self) -> None:
        """Whole or not at all, and only when there is news."""
        tickets = self._helpdesk.tickets
        news = [
            [(chat.customer.key, chat.last_inbound_at, [(m.status, m.reaction, len(m.chosen)) for m in chat.messages])
             for chat in self._network.chats.values()],
            [(one.id, len(one.comments), dict(one.fields)) for one in tickets.tickets.values()],
            sorted(tickets.deleted),
        ]  # fmt: skip
        if news == self._saved:
            return
        kept = {
            "chats": [
                {"customer": asdict(chat.customer), "last_inbound_at": chat.last_inbound_at,
                 "messages": [asdict(message) for message in chat.messages]}
                for chat in self._network.chats.values()
            ],
            "tickets": [asdict(ticket) for ticket in tickets.tickets.values()],
            "users": list(tickets.users.values()),
            "deleted": sorted(tickets.deleted),
        }  # fmt: skip
        draft = self._file.with_suffix(".tmp")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(kept), encoding="utf-8")
            draft.replace(self._file)
        except OSError as error:
            log.warning("twin.memory.not_saved error=%s", type(error).__name__)
            return
        self._saved = news

    def recall(self) -> None:
        """What was saved last. A file that cannot be read is as good as none."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            chats = [_chat(one) for one in kept["chats"]]
            tickets = [Ticket(**one) for one in kept["tickets"]]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("twin.memory.not_read error=%s", type(error).__name__)
            return
        self._network.recall(chats)
        self._helpdesk.tickets.recall(tickets, kept.get("users") or [], kept.get("deleted") or [])


def _chat(kept: dict[str, Any]) -> Chat:
    customer = Customer(**{**kept["customer"], "tries": tuple(kept["customer"].get("tries") or ())})
    chat = Chat(customer, last_inbound_at=kept["last_inbound_at"])
    for message in kept["messages"]:
        chat.add(ChatMessage(**message))
    return chat
