"""The worst day: servers are killed while the shop acts, the helpdesk is down in every way, Redis loses all it has.

The moments of the kills are the ones that hurt most, and are brought about rather than hoped for: a turn that calls a
person waits for the database, Graph and the helpdesk have accepted something and never answer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from launch.processes import free_port
from tests.handoff.stand_ins import serving
from tests.journeys.shop import Customer, Shop, words
from twin.helpdesk import api as twin_helpdesk

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

KAVYA, IMRAN, FARHAN = "+919811000001", "+919811000002", "+919845098450"
SECRET, TOKEN = "outage-secret", "outage-token"
SERVERS = {"rasa": "connectors.server", "actions": "launch.action_server", "worker": "-m worker"}
TICKETS = "/api/v2/tickets"


class Outage:
    """The product with a helpdesk of its own, which does not answer before `open_helpdesk`."""

    def __init__(self, state_dir: Path) -> None:
        port = free_port()
        self.shop = Shop(
            state_dir, TICKETING="zendesk", ZENDESK_URL=f"http://127.0.0.1:{port}", ZENDESK_OAUTH_TOKEN=TOKEN,
            ZENDESK_WEBHOOK_SECRET=SECRET,
        )  # fmt: skip
        webhook = f"{self.shop.rasa_url}/webhooks/zendesk/webhook"
        self.helpdesk = twin_helpdesk.Helpdesk(webhook, SECRET, TOKEN, first_id=41)
        self.open_helpdesk = lambda: serving(lambda: twin_helpdesk.create_app(self.helpdesk), port)

    def kill(self, *names: str) -> None:
        """Without warning; the launcher starts them again."""
        self.signal(signal.SIGKILL, *names)

    def signal(self, number: int, *names: str) -> None:
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        assert self.shop.process is not None
        rows = [line.split(None, 2) for line in listed.splitlines()]
        children = [(int(pid), args) for pid, parent, args in rows if int(parent) == self.shop.process.pid]
        doomed = [pid for pid, args in children if any(SERVERS[name] in args for name in names)]
        assert len(doomed) == len(names)
        for pid in doomed:
            os.kill(pid, number)

    @contextlib.contextmanager
    def database_held(self) -> Iterator[None]:
        """Nobody can write to the database of takeovers meanwhile."""
        connection = sqlite3.connect(self.shop.state_dir / "conversations.db", timeout=10, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    def called(self, customer: Customer) -> bool:
        """Whether a person was called for this customer, as the database says it."""
        with contextlib.closing(sqlite3.connect(self.shop.state_dir / "conversations.db", timeout=10)) as connection:
            found = connection.execute("SELECT 1 FROM handoff_takeovers WHERE customer = ?", [customer.key])
            return found.fetchone() is not None

    def break_next(self, kind: str, times: int = 1, **more: Any) -> None:
        self.helpdesk.faults.append(twin_helpdesk.HelpdeskFault(kind, times, TICKETS, "POST", **more))

    def asked_for_tickets(self) -> int:
        return sum(call["method"] == "POST" and call["path"] == TICKETS for call in self.helpdesk.calls)

    def tickets_of(self, customer: Customer) -> list[Any]:
        known = self.helpdesk.tickets
        return [
            ticket
            for ticket in known.tickets.values()
            if known.users[ticket.fields["requester_id"]].get("external_id") == f"whatsapp:{customer.key}"
        ]


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    made = Outage(tmp_path_factory.mktemp("outage") / "state")
    with made.shop:
        yield made


def until(true: Callable[[], Any], what: str) -> Any:
    """What `true` returns, once that is something. A busy machine needs a minute to start a Rasa server."""
    deadline = time.monotonic() + 120
    while not (found := true()):
        assert time.monotonic() < deadline, f"it never came true: {what}"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(("order", "servers"), [
    ("10304", ["actions"]), ("10305", ["rasa"]), ("10307", ["actions", "rasa"]),
])  # fmt: skip
def test_killed_while_the_shop_acts_it_acts_once_all_the_same(outage: Outage, order: str, servers: list[str]) -> None:
    """However often Meta brings the yes."""

    def acts() -> list[Any]:
        return [act for act in outage.shop.twin.get("/shop/acts").json() if act["body"]["order_id"] == order]

    farhan = outage.shop.customer(FARHAN)
    assert f"cancel order #{order} now" in words(farhan.say(f"cancel {order}"))
    outage.shop.twin.put("/shop/faults", json={"faults": ["done_but_hang"]}).raise_for_status()
    farhan.write(text="yes", copies=2)
    until(acts, "the shop acts")
    outage.kill(*servers)
    farhan.write(text="yes")
    assert f"#{order} is cancelled" in words(farhan.listen(first_s=120, quiet_s=5))
    (act,) = acts()
    assert act["asked"] >= 2


def test_a_takeover_outlives_a_dead_helpdesk_and_killed_servers(outage: Outage) -> None:
    shop = outage.shop
    kavya, imran = shop.customer(KAVYA), shop.customer(IMRAN)

    # Nobody listens at the helpdesk. Kavya is told all the same, and Graph's answer to that gets lost.
    shop.control("faults", kind="accept_then_hang", customer=KAVYA, seconds=60)
    assert "ticket" in words(kavya.say("this is fraud, where did my money go?!")), "told although it cannot be opened"
    waiting = 'assistant_ticket_orders{trouble="unreachable"} 1'
    until(lambda: waiting in httpx.get(f"{shop.rasa_url}/metrics", timeout=20).text, "operators see what waits")

    # A person is called for Imran, and the server dies before it can say so.
    with outage.database_held():
        imran.write(text="i want to talk to a human")
        until(lambda: "reason=human_requested" in shop.output.read_text(errors="replace"), "the action is called")
        time.sleep(1)
        outage.signal(signal.SIGSTOP, "rasa")
    until(lambda: outage.called(imran), "the takeover is in the database")
    outage.kill("rasa", "actions", "worker")
    kavya.write(text="hello?? the order was 10234")

    # It answers again, badly at first; then it opens a ticket, and the worker dies before it hears so.
    with outage.open_helpdesk():
        outage.break_next("error", times=2, status=503)
        outage.break_next("hang", seconds=1)
        outage.break_next("accept_then_hang", seconds=30)
        until(lambda: len(outage.helpdesk.tickets.tickets) > 0, "a ticket is opened")
        outage.kill("worker")
        until(lambda: outage.tickets_of(kavya) and outage.tickets_of(imran), "both tickets are open")
        assert "ticket" in words(until(lambda: imran.listen(first_s=5), "Imran is told"))
        until(lambda: "the order was" in everything(outage.tickets_of(kavya)[0]), "her words are in the ticket")
        assert kavya.hears_nothing(0.5), "she was told once"

        # Redis loses everything: who has the conversation is known all the same.
        redis.Redis.from_url((shop.state_dir / "redis.url").read_text()).flushall()
        kavya.write(text="are you still there?")
        until(lambda: "still there" in everything(outage.tickets_of(kavya)[0]), "her words find the ticket")
        assert kavya.hears_nothing(0.5), "the assistant does not answer meanwhile"

        (ticket,) = outage.tickets_of(kavya)
        assert "where did my money go" in ticket.comments[0]["body"]
        assert ticket.comments[0]["public"] is False

        # The agent's words come twice, and whoever carries them dies.
        outage.helpdesk.webhooks.delivery.twice = True
        outage.kill("worker")
        outage.helpdesk.reply(ticket.id, "Hi Kavya, Dev here. The refund is on its way.", True, None, [])
        assert words(kavya.listen(quiet_s=3)).count("Dev here") == 1

        outage.helpdesk.reply(ticket.id, "Anything else, just write.", True, "solved", [])
        said = words(kavya.listen(quiet_s=4))
        assert said.index("Anything else") < said.index("closed your ticket")
        assert "#10234" in words(kavya.say("status of order 10234"))

        assert len(outage.tickets_of(kavya)) == len(outage.tickets_of(imran)) == 1
        assert everything(ticket).count("the order was 10234") == 1
        assert shop.refused() == []


def everything(ticket: Any) -> str:
    return "\n".join(comment["body"] for comment in ticket.comments)
