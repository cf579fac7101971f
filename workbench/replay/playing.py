"""Logged conversations played with a model and pages in this process. Nothing real is touched: no ticket, no act, no
message; state lies in a temporary folder, and of the outside only the orders are read.

Where the shop's own system could be asked to act, a stand-in says that it is done: what the customer was told then was
said once it was done, too.
"""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import shop
from actions.self_service.acts import ADDRESS, CANCEL, DONE, RETURNS, Act
from actions.self_service.acts import Answer as Outcome
from actions.self_service.performing import SelfService
from actions.skill import services
from conversation_log.model.judgements import IDLE, feature_of
from settings import Settings
from workbench.dialogues.play import Played, Reply, agent_with_actions, metadata_of, note, say
from workbench.dialogues.run import use
from workbench.replay.answers import Answer, Said, changes, is_by_llm, moved_on, names_a_number
from workbench.replay.turns import LoggedConversation, LoggedTurn

log = logging.getLogger(__name__)

PAGES = "policy_kb"


@dataclass(frozen=True)
class ReplayedTurn:
    """A logged turn, what comes of it now, and what of it changed (see answers.KINDS).

    `moved_on`: it goes on from an answer that today's orders made another, so it cannot be compared.
    """

    logged: LoggedTurn
    now: Answer
    changed: tuple[str, ...]
    moved_on: bool = False


@dataclass(frozen=True)
class Replayed:
    """A conversation as it would go now."""

    conversation: LoggedConversation
    turns: tuple[ReplayedTurn, ...]

    @property
    def changed(self) -> bool:
        return any(turn.changed for turn in self.turns)


class PretendShop:
    """Says that every act is done, and does none."""

    can = (CANCEL, ADDRESS, RETURNS)

    async def attempt(self, act: Act) -> Outcome:
        return Outcome(DONE)


@contextlib.contextmanager
def nothing_real(settings: Settings, pages: Path | None, llm: bool) -> Iterator[None]:
    """While it lasts, actions in this process have state of their own, these pages, and a shop that only pretends."""
    with tempfile.TemporaryDirectory(prefix="replay-") as state:
        shop_dir = _with_pages(settings.shop_path, pages, Path(state) / "shop") if pages else None
        use(state, str(settings.orders_database_url), llm, shop_dir)
        acts = shop.load().actions if settings.shop_api_url and settings.shop_api_secret else ()
        service = SelfService(PretendShop(), acts) if acts else None
        with mock.patch.object(services, "self_service", return_value=service):
            yield


def _with_pages(shop_path: Path, pages: Path, folder: Path) -> str:
    """A shop's folder as it is, but with other pages."""
    folder.mkdir()
    for path in shop_path.glob("*.yml"):
        shutil.copy(path, folder)
    (folder / PAGES).symlink_to(pages.resolve(), target_is_directory=True)
    return str(folder)


async def replayed(archive: Path, conversations: Iterable[LoggedConversation]) -> AsyncIterator[Replayed]:
    """Each conversation as it would go now, one in memory at a time."""
    agent = agent_with_actions(archive)
    senders = _Senders(agent)
    for number, conversation in enumerate(conversations):
        sender = senders.of(conversation, number)
        turns, unsure = [], False
        for logged in conversation.turns:
            now = await senders.answer(sender, conversation.phone, logged)
            unsure = unsure and bool(logged.answer.about_orders) and not names_a_number(logged.text)
            changed = () if unsure else changes(logged.text, logged.answer, now)
            turns.append(ReplayedTurn(logged, now, changed, unsure))
            unsure = unsure or moved_on(logged.answer, now)
        senders.forget(sender, conversation)
        yield Replayed(conversation, tuple(turns))


class _Senders:
    """Whose dialogue a conversation goes on: its own, or that of the one before, which a person has ended."""

    def __init__(self, agent: Any) -> None:
        from rasa.core.tracker_store import InMemoryTrackerStore

        self._agent, self._store = agent, InMemoryTrackerStore(agent.domain)
        agent.tracker_store = agent.processor.tracker_store = self._store
        self._with_a_person: dict[str, tuple[LoggedConversation, str]] = {}
        self._heard: dict[str, list[Reply]] = {}

    def of(self, conversation: LoggedConversation, number: int) -> str:
        before, sender = self._with_a_person.pop(conversation.customer, (None, ""))
        if before is not None and timedelta(0) <= conversation.began - before.ended <= IDLE:
            return sender
        self._drop(sender)
        return f"replay-{number}"

    async def answer(self, sender: str, phone: str | None, logged: LoggedTurn) -> Answer:
        """Say it; a tap presses the button of that title, if there is one now."""
        heard = self._heard.setdefault(sender, [])
        metadata = {**metadata_of(logged.text, phone or ""), "customer": sender, "phone": phone}
        text = logged.text
        if logged.tapped:
            shown = next((reply for reply in reversed(heard) if logged.text in reply.payloads), None)
            if shown:
                text = shown.payloads[logged.text]
                metadata |= {"kind": "button_reply", "reply_to": "shown", "quoted": _quoted(shown)}
        one = Played(logged.text)
        try:
            tracker = await self._store.retrieve(sender)
            seen = len(tracker.events) if tracker else 0
            note(one, (await say(self._agent, sender, text, metadata))[seen:])
        except Exception as error:  # whatever a model or an action does: the other turns are played all the same
            log.warning("replay.turn.failed error=%s", type(error).__name__)
            return Answer("", (), failed=type(error).__name__)
        heard += one.replies
        return Answer(one.intent, tuple(map(_said, one.replies)), one.opened)

    def forget(self, sender: str, conversation: LoggedConversation) -> None:
        if conversation.escalated:
            self._with_a_person[conversation.customer] = (conversation, sender)
        else:
            self._drop(sender)

    def _drop(self, sender: str) -> None:
        self._heard.pop(sender, None)
        self._store.store.pop(sender, None)


def _quoted(shown: Reply) -> dict[str, Any]:
    return {**shown.about, "wamid": "shown", "author": "assistant", "text": shown.text}


def _said(reply: Reply) -> Said:
    pages, by_llm = tuple(map(str, reply.about.get("policy_pages") or ())), is_by_llm(reply.about.get("llm"))
    return Said(reply.response, feature_of(reply.response, bool(pages)), reply.text, pages, by_llm)
