"""A run of dialogues with state of its own: nothing of a running assistant is touched, no ticket leaves it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date

import settings
from workbench.dialogues.cases import Dialogue
from workbench.dialogues.play import Played
from workbench.dialogues.report import Outcome, judged
from workbench.dialogues.shop import seed


def outcomes_apart(dialogues: list[Dialogue], llm: bool) -> list[Outcome]:
    """`outcomes_of` in a process of its own: what the environment says is read once in each."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(outcomes_of, dialogues, llm).result()


def outcomes_of(dialogues: list[Dialogue], llm: bool) -> list[Outcome]:
    """What comes of the dialogues, with the configured LLM or without one."""
    with tempfile.TemporaryDirectory() as state:
        orders = f"sqlite:///{state}/orders.db"
        use(state, orders, llm)
        seed(orders, dialogues, date.today())
        return judged(dialogues, asyncio.run(played_with_newest(dialogues)))


def use(state: str, orders: str, llm: bool) -> None:
    """Databases of this run's own, before an action reads the settings; no LLM but on request; no shop that acts."""
    settings.load().replace_in(os.environ)
    os.environ.pop("SHOP_API_URL", None)
    os.environ |= {
        settings.COMPLETE: "1",
        "STATE_DIR": state,
        "ORDERS_DATABASE_URL": orders,
        "CONVERSATION_DATABASE_URL": f"sqlite:///{state}/conversations.db",
        "TICKETING": "log",
        **({} if llm else {"LLM_PROVIDER": "none"}),
    }


async def played_with_newest(dialogues: list[Dialogue]) -> list[list[Played]]:
    from handoff.configuration import load_configuration
    from workbench.dialogues.play import play
    from workbench.nlu.archives import newest_archive

    return await play(newest_archive(), dialogues, load_configuration())
