"""A run of dialogues with state of its own: nothing of a running assistant is touched, no ticket leaves it."""

import asyncio
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import settings
from workbench.dialogues.cases import Dialogue
from workbench.dialogues.report import Outcome, judged
from workbench.dialogues.shop import seed
from workbench.nlu.archives import newest_archive

_HARMLESS = ("SHOP_DIR", "ORDER_NUMBER_PATTERN", "DEFAULT_REGION", "SHOP_TIMEZONE", "LOG_LEVEL", "LOG_FORMAT")
_OF_AN_LLM = ("LLM_", "ANTHROPIC_", "OPENAI_")


def outcomes_apart(dialogues: list[Dialogue], llm: bool) -> list[Outcome]:
    """`outcomes_of` in a process of its own: what the environment says is read once in each."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(outcomes_of, dialogues, llm).result()


def outcomes_of(dialogues: list[Dialogue], llm: bool) -> list[Outcome]:
    """What comes of the dialogues, with the configured LLM or without one."""
    from handoff.configuration import load_configuration
    from workbench.dialogues.play import play

    archive = newest_archive()
    with tempfile.TemporaryDirectory() as state:
        orders = f"sqlite:///{state}/orders.db"
        use(state, orders, llm)
        seed(orders, dialogues, date.today())
        return judged(dialogues, asyncio.run(play(archive, dialogues, load_configuration())))


def bring_numbers(before: Path, state: Path) -> None:
    """Take what order numbers taught from one state into another that begins, where it need not be learnt again."""
    (state / "cache").mkdir(exist_ok=True)
    for learnt in (before / "cache").glob("order-numbers-*.npz"):
        shutil.copy(learnt, state / "cache")


def use(state: str, orders: str, llm: bool, shop_dir: str | None = None) -> None:
    """Nothing real for what runs in this process from now on: of the settings only those that act on nothing stay.

    Databases are this run's own, orders are read where `orders` says; no LLM but on request. `shop_dir`: another shop's
    folder than the configured one. Call it before an action reads the settings.
    """
    kept = {name: value for name, value in settings.load().as_environment().items()
            if name in _HARMLESS or (llm and name.startswith(_OF_AN_LLM))}  # fmt: skip
    before, ours = settings.load().state_path, Path(state)
    if (before / "knowledge").is_dir():  # what the pages say need not be embedded again
        shutil.copytree(before / "knowledge", ours / "knowledge", dirs_exist_ok=True)
    bring_numbers(before, ours)
    for variable in settings.VARIABLES:
        for name in (variable.name, f"{variable.name}_FILE"):
            os.environ.pop(name, None)
    os.environ |= kept | {
        settings.COMPLETE: "1",
        "STATE_DIR": state,
        "ORDERS_DATABASE_URL": orders,
        "CONVERSATION_DATABASE_URL": f"sqlite:///{state}/conversations.db",
        "TICKETING": "log",
        **({} if llm else {"LLM_PROVIDER": "none"}),
        **({"SHOP_DIR": shop_dir} if shop_dir else {}),
    }
