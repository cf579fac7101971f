"""Whatever an LLM makes of a conversation, nothing is done without the customer's yes.

Played with the trained model and the real actions; only the LLM is a stand-in.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from actions import escalation, services
from actions.llm.reader import Reader
from handoff.configuration import load_configuration
from tests.readers import answer, newest, reader, says
from workbench.archives import newest_archive
from workbench.dialogues.cases import Dialogue, DialogueTurn
from workbench.dialogues.play import Played, play
from workbench.dialogues.shop import seed

pytestmark = pytest.mark.model

Run = Callable[[Sequence[Dialogue], Reader | None], list[list[Played]]]


def dialogue(orders: str, *turns: tuple[str, str], ticket: str = "no") -> Dialogue:
    """Turns are (what the customer says, what would be right)."""
    said = tuple(DialogueTurn(say, tuple(right.split(" | ")), ticket, True) for say, right in turns)
    return Dialogue(turns[0][0], "reader", tuple(orders.split()), said)


@pytest.fixture(scope="module", autouse=True)
def _pages() -> Iterator[None]:
    """Indexed once, for quoting: no LLM words the answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_llm", lambda: None)
        services.knowledge.cache_clear()
        services.knowledge().prepare()
        yield
    services.knowledge.cache_clear()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Plays dialogues with this reader asked about every message; None: as without an LLM."""
    built = (services.orders, escalation._desk)
    runs = itertools.count()

    def played(dialogues: Sequence[Dialogue], by: Reader | None) -> list[list[Played]]:
        state = tmp_path / str(next(runs))
        state.mkdir()
        environment = {
            "STATE_DIR": str(state), "ORDERS_DATABASE_URL": f"sqlite:///{state}/orders.db", "TICKETING": "log",
            "CONVERSATION_DATABASE_URL": f"sqlite:///{state}/conversations.db", "LLM_PROVIDER": "anthropic",
            "ANTHROPIC_API_KEY": "k", "LLM_READER": "always" if by else "never",
        }  # fmt: skip
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(services, "reader", lambda: by)
        for one in built:
            one.cache_clear()
        seed(environment["ORDERS_DATABASE_URL"], dialogues, date.today())
        return asyncio.run(play(newest_archive(), list(dialogues), load_configuration()))

    yield played
    for one in built:
        one.cache_clear()


@pytest.mark.parametrize("said", [says("yes"), says("want_person"), says("yes", "cancel_order")],
                         ids=["yes", "person", "yes-and-more"])  # fmt: skip
def test_reader_cannot_say_yes_for_the_customer(run: Run, said: Callable[[str], str]) -> None:
    some = [
        dialogue("OPEN2", ("cancel {OPEN2}", ""), ("how long for the money", ""), ("my cat is on the phone", "")),
        dialogue("OPEN", ("i want to change the address of {OPEN}", ""), ("the old one was in pune", "")),
        dialogue("DONE", ("return {DONE}", ""), ("it is blue with stripes", ""), ("tuesday", "")),
    ]

    def play_it(told: str) -> str:
        return answer("cannot_tell") if re.search(r"cancel|return|change", newest(told)) else said(told)

    for turns in run(some, reader(play_it)):
        assert "order_change_form" in turns[0].actions
        assert not any(one.opened and "action_order_change_outcome" in one.actions for one in turns)
