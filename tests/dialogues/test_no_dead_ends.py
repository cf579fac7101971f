"""From wherever a conversation has wandered, an order, the pages and a person are still one message away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.known_pages import embed_pages

ROOT = Path(__file__).resolve().parents[2]
WALK = """
import asyncio, json, os, random, sys, tempfile
from datetime import date
from workbench.dialogues.run import use
from workbench.dialogues.cases import Dialogue, DialogueTurn
from workbench.dialogues.shop import seed

SAYINGS = ["hi", "where is my order", "{OPEN}", "cancel it", "yes", "no", "return it", "the other one", "second one",
           "how long do refunds take", "what about shoes", "why so late", "who brings it", "thanks", "1023",
           "{MISSING}", "change the address", "show my orders", "both", "what a day", "ok", "can i exchange it", "list",
           "hmm"]
dice = random.Random(7)
walks = [Dialogue(f"w{n}", "walk", ("OPEN", "OPEN2", "DONE"), tuple(
    DialogueTurn(say, (), "may")
    for say in [*dice.choices(SAYINGS, k=7), "back to the bot", "where is order {OPEN}?",
                "how many days do i have to return a dress", "let me talk to a human please"]))
    for n in range(10)]
with tempfile.TemporaryDirectory() as state:
    orders = f"sqlite:///{state}/orders.db"
    use(state, orders, False)
    seed(orders, walks, date.today())
    from handoff.configuration import load_configuration
    from workbench.nlu.archives import newest_archive
    from workbench.dialogues.play import play
    for played in asyncio.run(play(newest_archive(), walks, load_configuration())):
        print(json.dumps([[one.said, [reply.response for reply in one.replies], one.ticket] for one in played]))
"""


@pytest.mark.model
@pytest.mark.timeout(300)
def test_an_order_the_pages_and_a_person_can_always_be_reached() -> None:
    embed_pages()
    walking = [sys.executable, "-c", WALK]
    done = subprocess.run(walking, cwd=ROOT, capture_output=True, text=True, timeout=280, check=True)
    walks = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    assert len(walks) == 10
    for walk in walks:
        *_, order, pages, person = walk
        assert any(name.startswith("utter_order_status_") for name in order[1]), walk
        assert any(name.startswith("utter_return_policy_answer") for name in pages[1]), walk
        assert person[2], walk
        assert all(replies or ticket for _, replies, ticket in walk), walk
