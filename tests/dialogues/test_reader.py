"""Whatever an LLM makes of a conversation: no other customer's order is told, nothing is done without a yes, and a
person who was called comes. Without one, from wherever a conversation has wandered, an order, the pages and a person
are still one message away. Played with the trained model and the real actions; only the LLM is a stand-in."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from actions import escalation
from actions.llm.reader import Reader
from actions.skill import services
from handoff.configuration import load_configuration
from tests.known_pages import embed_pages
from tests.readers import BROKEN, answer, erratic, newest, reader, says
from workbench.dialogues import play as playing
from workbench.dialogues.cases import Dialogue, DialogueTurn, read_dialogues
from workbench.dialogues.play import ESCALATE, Played, agent_with_actions, play
from workbench.dialogues.report import judged
from workbench.dialogues.shop import numbers_of, seed
from workbench.nlu.archives import newest_archive

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("reader")]

SEEN = Path(__file__).parent / "seen"
SAYINGS = (
    "hi", "where is my order", "{OPEN}", "cancel it", "yes", "no", "return it", "the other one", "second one",
    "how long do refunds take", "what about shoes", "why so late", "who brings it", "thanks", "1023", "{MISSING}",
    "change the address", "show my orders", "both", "what a day", "ok", "can i exchange it", "list", "hmm",
)  # fmt: skip
IN_A_FORM = (
    "return {DONE}", "cancel {OPEN2}", "change the address of {OPEN2}", "it does not fit", "an exchange", "is that ok",
    "12 Lake Road, Pune 411001", "no, it is for my mother", "actually return it instead", "or just cancel it",
    "what does a return cost", "9820417733", "leave it, do you have a shop in pune", "not now", "yes", "no", "haan ji",
    "it says delivered but i dont have it", "{OPEN} nahi {OPEN2} wala", "hmm", "you don't understand",
)  # fmt: skip
AT_LAST = ("back to the bot", "where is order {OPEN}?", "how many days do i have to return a dress",
           "let me talk to a human please")  # fmt: skip
NOT_FOUND = re.compile(r"not_found|misshaped|what_numbers_look_like|handoff|resume")
Run = Callable[[Sequence[Dialogue], Reader | None], list[list[Played]]]


def dialogue(orders: str, *turns: tuple[str, str], ticket: str = "no") -> Dialogue:
    """Turns are (what the customer says, what would be right)."""
    said = tuple(DialogueTurn(say, tuple(right.split(" | ")), ticket) for say, right in turns)
    return Dialogue(turns[0][0], "reader", tuple(orders.split()), said)


@pytest.fixture(scope="module", autouse=True)
def _pages() -> Iterator[None]:
    """Indexed once, for quoting: no LLM words the answers."""
    embed_pages()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_llm", lambda: None)
        services.knowledge.cache_clear()
        services.knowledge().prepare()
        yield
    services.knowledge.cache_clear()


@pytest.fixture(scope="module")
def agents() -> Callable[[Path], Any]:
    """The model, loaded once for each way of asking a reader (which it knows from then on); dialogues begin afresh."""
    loaded: dict[str | None, Any] = {}

    def agent(archive: Path) -> Any:
        from rasa.core.tracker_store import InMemoryTrackerStore

        asked = os.environ.get("LLM_READER")
        found = loaded.get(asked) or loaded.setdefault(asked, agent_with_actions(archive))
        found.tracker_store = found.processor.tracker_store = InMemoryTrackerStore(found.domain)
        return found

    return agent


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agents: Callable[[Path], Any]) -> Iterator[Run]:
    """Plays dialogues with this reader asked about every message; None: as without an LLM."""
    built = (services.orders, services.self_service, escalation._service)
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
        monkeypatch.setattr(playing, "agent_with_actions", agents)
        for one in built:
            one.cache_clear()
        seed(environment["ORDERS_DATABASE_URL"], dialogues, date.today())
        return asyncio.run(play(newest_archive(), list(dialogues), load_configuration()))

    yield played
    for one in built:
        one.cache_clear()


@pytest.fixture(scope="module")
def seen() -> list[Dialogue]:
    return read_dialogues(SEEN)


def tells_of_others(played: list[list[Played]], dialogues: Sequence[Dialogue]) -> list[str]:
    """What was said of an order that is not this customer's."""
    found = []
    for index, turns in enumerate(played):
        own = {numbers_of(index)[name] for name in dialogues[index].orders}
        for one in turns:
            for reply in one.replies:
                numbers = set(re.findall(r"\b2\d{4}\b", " ".join((reply.text, *reply.rows, *reply.buttons))))
                if numbers - own and not NOT_FOUND.search(reply.response):
                    found.append(f"{one.said} → {reply.response}: {reply.text}")
    return found


def called_by_words(turns: Sequence[Played]) -> set[int]:
    """The turns in which the customer's words themselves called a person."""
    words = ("complaint", "refund_request", "human_requested")
    return {
        place for place, one in enumerate(turns)
        if one.opened and one.reason in words and [a for a in one.actions if a != "action_read_message"] == [ESCALATE]
    }  # fmt: skip


@pytest.mark.timeout(300)
def test_erratic_reader_gives_nothing_away_and_loses_no_call_for_a_person(run: Run, seen: list[Dialogue]) -> None:
    """Every command, order numbers of other customers, invented ones, questions with orders to the assistant."""
    seen = seen[::8]
    others = [numbers_of(index)[name] for index in range(0, len(seen), 3) for name in ("OTHERS", "OPEN", "MISSING")]
    alone = run(seen, None)
    with_reader = run(seen, reader(erratic(0, others)))
    assert tells_of_others(with_reader, seen) == []
    turns = [one for turns in with_reader for one in turns]
    assert [(one.said, one.actions) for one in turns if not (one.replies or one.waiting)] == []
    for before, after in zip(alone, with_reader, strict=True):
        for place in called_by_words(before):
            assert after[place].ticket, before[place].said


@pytest.mark.parametrize("said", [says("affirm"), says("request_human"), says("affirm", "cancel_order")],
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
        assert all(one.replies for one in turns), "what a form cannot use is not met with silence"
        assert not any(one.opened and "action_order_change_outcome" in one.actions for one in turns)


def test_good_reader_makes_right_what_is_not_understood_without(run: Run) -> None:
    riddle, other, done = "zor zor se wala scene", "flumm brakk tosh", "upar wala kamra"
    some = [dialogue("OPEN OPEN2", (riddle, "status any | choose"), (other, "status OPEN2"), (done, "confirms OPEN2"))]
    numbers = numbers_of(0)
    means = {
        riddle: answer("list_orders"),
        other: answer({"name": "choose_order", "order": numbers["OPEN2"]}),
        done: answer("thank", {"name": "cancel_order", "order": numbers["OPEN2"]}),
    }
    (outcome,) = judged(some, run(some, reader(lambda told: means[newest(told)])))
    assert outcome.passed, [(one.said, one.replies) for _, one, _ in outcome.turns]
    verdicts = {one.read["verdict"] for _, one, _ in outcome.turns if one.read}
    assert verdicts == {"read"}


@pytest.mark.parametrize("by", [
    reader(says("greet"), wait_s=30, budget_s=0.05), reader(lambda told: BROKEN[len(told) % len(BROKEN)]),
], ids=["slow", "broken"])  # fmt: skip
def test_slow_or_broken_reader_leaves_the_conversation_as_it_is(run: Run, seen: list[Dialogue], by: Reader) -> None:
    some = seen[:8]
    alone = run(some, None)
    started = time.monotonic()
    with_reader = run(some, by)
    assert time.monotonic() - started < 60
    for before, after in zip(alone, with_reader, strict=True):
        assert [(one.intent, [reply.response for reply in one.replies], one.ticket) for one in after] == [
            (one.intent, [reply.response for reply in one.replies], one.ticket) for one in before
        ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("acts", [False, True], ids=["a-person-acts", "the-shop-acts"])
def test_an_order_the_pages_and_a_person_can_always_be_reached(
    run: Run, acts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if acts:  # forms ask for every detail
        monkeypatch.setenv("SHOP_API_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("SHOP_API_SECRET", "s" * 32)
    dice, sayings = random.Random(7), IN_A_FORM if acts else (*SAYINGS, *IN_A_FORM)
    said = [(*dice.choices(sayings, k=7), *AT_LAST) for _ in range(6)]
    walks = [dialogue("OPEN OPEN2 DONE", *((words, "") for words in walk), ticket="may") for walk in said]
    for turns in run(walks, None):
        *before, order, pages, person = turns
        assert any(reply.response.startswith("utter_order_status_") for reply in order.replies), turns
        assert any(reply.response.startswith("utter_return_policy_answer") for reply in pages.replies), turns
        assert person.ticket, turns
        assert all(one.replies or one.ticket for one in turns), turns
        asked = ["|".join(reply.text for reply in one.replies) or str(place) for place, one in enumerate(before)]
        thrice = [one for one, *others in zip(asked, asked[1:], asked[2:], strict=False) if others == [one, one]]
        assert thrice == [], turns
