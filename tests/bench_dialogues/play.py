"""Plays one dialogue against the running product, through the twin's WhatsApp, in the weather of real life."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench_dialogues.cases import Turn
from tests.bench_dialogues.world import Run
from tests.journeys.shop import Body, Customer, Shop
from workbench.dialogues.cases import filled

POLL_S = 1.0
SILENCE_S = 2.5  # after the log has the message: an answer would be on its way
BETWEEN_BUBBLES_S = 0.25
_MEDIA: dict[str, dict[str, Any]] = {
    "image": {}, "voice": {"seconds": 3}, "unsupported": {}, "location": {"latitude": 19.07, "longitude": 72.88},
}  # fmt: skip


@dataclass(frozen=True)
class Weather:
    """How often what goes wrong; all 0: a calm day. `answer_s`: how long a customer waits for an answer."""

    duplicates: float = 0.0
    faults: float = 0.0
    pause_s: float = 0.0
    answer_s: float = 30.0

    @classmethod
    def real(cls) -> Weather:
        """Meta delivers twice, Graph and the shop's system stumble, people take their time, processes are killed."""
        return cls(duplicates=0.25, faults=0.12, pause_s=1.5, answer_s=90.0)


GRAPH_FAULTS = (
    {"kind": "error", "code": 131000, "http": 500}, {"kind": "reset"}, {"kind": "slow", "seconds": 2.0},
    {"kind": "html", "http": 502},
)  # fmt: skip
SHOP_FAULTS = ("server_error", "done_but_server_error", "drop")


@dataclass
class Played:
    """What a run looked like from outside, turn by turn; `acts` are those done by the turn's end."""

    run: Run
    begun: list[float] = field(default_factory=list)
    """Epoch seconds."""
    wamids: list[list[str]] = field(default_factory=list)
    acts: list[list[tuple[str, str]]] = field(default_factory=list)
    trouble: str = ""
    """Why it ended early: a button that was not there, a twin that did not answer."""


def play(run: Run, shop: Shop, weather: Weather, seed: int) -> Played:
    """All turns of a run, one after the other."""
    chance, played = random.Random(f"{seed}/{run.name}"), Played(run)
    customer = shop.customer(run.phone)
    try:
        for turn in run.argument.turns:
            _spoil(shop, run, weather, chance)
            played.begun.append(time.time())
            played.wamids.append(_write(customer, turn, run, weather, chance))
            _listen(customer, played.wamids[-1], shop.state_dir, SILENCE_S if turn.way == "forge" else weather.answer_s)
            played.acts.append(acts_of(shop, run))
            time.sleep(chance.uniform(0, weather.pause_s))
    except (LookupError, httpx.HTTPError) as error:
        played.trouble = f"{type(error).__name__}: {error}"
    return played


def _listen(customer: Customer, wamids: list[str], state_dir: Path, answer_s: float) -> None:
    """Until the answer is complete; not for ever when the log has the messages and nobody answers."""
    deadline = time.monotonic() + answer_s
    while time.monotonic() < deadline:
        customer.listen(first_s=POLL_S)
        answers = _answers(wamids, state_dir)
        if answers is not None and answers <= {str(body.get("biz_opaque_callback_data")) for body in customer.heard}:
            if not answers:
                customer.listen(first_s=SILENCE_S)
            return


def _answers(wamids: list[str], state_dir: Path) -> set[str] | None:
    """The keys of what was said to these messages and is to reach the customer; None: the log has not all of them."""
    with contextlib.closing(sqlite3.connect(state_dir / "conversations.db", timeout=20)) as log:
        rows = [
            log.execute(
                "SELECT message_key, role, suppressed OR coalesce(delivery_status = 'failed', 0) FROM messages"
                " WHERE message_key = ? OR message_key LIKE ? || ':%'", (wamid, wamid),
            ).fetchall()
            for wamid in wamids
        ]  # fmt: skip
    if not all(any(role == "user" for _, role, _ in found) for found in rows):
        return None
    return {key for found in rows for key, role, lost in found if role != "user" and not lost}


def acts_of(shop: Shop, run: Run) -> list[tuple[str, str]]:
    """(action, order number) of every act for this customer, or for an order that a run's stranger owns."""
    done = shop.twin.get("/shop/acts").json()
    numbers = set(run.numbers.values())
    return [
        (str(act["action"]), str(act["body"]["order_id"]))
        for act in done
        if act["body"]["requested_by"] == run.phone or act["body"]["order_id"] in numbers
    ]


def _spoil(shop: Shop, run: Run, weather: Weather, chance: random.Random) -> None:
    if chance.random() < weather.faults:
        shop.control("faults", customer=run.phone, times=1, **chance.choice(GRAPH_FAULTS))
    if chance.random() < weather.faults:
        shop.twin.put("/shop/faults", json={"faults": [chance.choice(SHOP_FAULTS)]}).raise_for_status()


def _write(customer: Customer, turn: Turn, run: Run, weather: Weather, chance: random.Random) -> list[str]:
    """Send the turn; the wamids of its messages."""
    words = [filled(one, run.numbers) for one in turn.words]
    copies = chance.choice((2, 3)) if chance.random() < weather.duplicates else 1
    if turn.way == "forge":
        return _forge(customer, words[0])
    if turn.way == "send":
        return [customer.write(words[0], copies=copies, **_MEDIA[words[0]])]
    if turn.way in ("tap", "pick"):
        kind = "button_reply" if turn.way == "tap" else "list_reply"
        wamid, option = _shown(customer, words[0])
        return [customer.write(kind, to=wamid, id=option["id"], title=option["title"], copies=copies)]
    found = []
    for place, one in enumerate(words):
        time.sleep(BETWEEN_BUBBLES_S if place else 0)
        found.append(customer.write(text=one, copies=copies))
    return found


def _shown(customer: Customer, title: str) -> tuple[str, dict[str, str]]:
    found = customer.option(title)
    if found is None:
        raise LookupError(f"no button or row {title!r} was shown")
    return found


def _forge(customer: Customer, words: str) -> list[str]:
    """A webhook that says that this customer wrote this, signed with another key."""
    wamid = f"wamid.forged.{customer.key}.{time.monotonic_ns()}"
    message = {"from": customer.key, "id": wamid, "timestamp": str(int(time.time())), "type": "text"}
    value = {"messaging_product": "whatsapp", "metadata": {}, "messages": [message | {"text": {"body": words}}]}
    body: Body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }
    webhook = {"body": body, "signature": "sha256=" + "0" * 64}
    answer = customer.twin.post("/control/webhook", json=webhook)
    if answer.json()["status"] == 200:
        raise LookupError("a webhook with a wrong signature was accepted")
    return [wamid]
