"""A small world around the real takeover code: customers, the assistant's turns, agents, and a Graph that remembers.

Transport, helpdesk and assistant are played here, one small step at a time and in any order; takeovers, tickets,
webhooks and returns are the product's own. Any step may be the last of a process.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.zendesk_events import parse_event, take
from handoff.jobs.deliveries import Deliveries, Delivery
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.tables import deliveries, jobs, metadata, takeovers, thread_controls
from handoff.takeover.customer_messages import ControlReturned, CustomerMessage, customer_said, reply_suppressed
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ThreadControl
from tests.handoff.samples import NOW, always_open, request
from tests.handoff.world_parts import AgentsDesk, Killed, MortalDatabase


@dataclass
class Lane:
    """One customer's way through the transport: inbox, the turn being taken, replies waiting for Graph, and Graph."""

    inbox: list[Delivery] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    turn: dict[str, Any] | None = None
    outbox: list[dict[str, Any]] = field(default_factory=list)
    in_flight: bool = False
    graph: list[dict[str, Any]] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)


class World:
    """Empties the database. `calls_returned`: the consumer accepts a return (else the send gate does)."""

    def __init__(self, db: Database, seed: int, customers: int = 2, calls_returned: bool = True) -> None:
        self.chance, self.calls_returned = random.Random(seed), calls_returned
        self.db, self.mortal = db, MortalDatabase(db)
        with db.write() as connection:
            for table in metadata.sorted_tables:
                connection.execute(table.delete())
        self.now = NOW
        self.configuration: HandoffConfiguration = always_open()
        self.desk = AgentsDesk()
        self.lanes = {f"c{seed}-{number}-{self.chance.random()}": Lane() for number in range(customers)}
        self.events: list[dict[str, Any]] = []
        self.lost_webhooks: set[str] = set()
        self.takes_control: set[str] = set()
        self.public: dict[str, str] = {}  # comment text -> state of the takeover when it was written
        self.private: set[str] = set()
        # wamid of the turn that called a person -> the control_version that began with it
        self.called: dict[str, int] = {}
        self.wished: set[tuple[str, int]] = set()  # customer, the control_version in which the wish gave control back
        self._count = self._seen = 0
        self._run = asyncio.new_event_loop().run_until_complete
        self._build()

    def _build(self) -> None:
        mortal: Any = self.mortal
        clock = lambda: self.now  # noqa: E731
        self.control = ThreadControl(mortal, self.configuration)
        self.dispatcher = Dispatcher(mortal, self.desk, self.configuration, [], "key", clock)
        self.poller = TicketPoller(mortal, self.desk, self.configuration, clock)
        self.deliveries = Deliveries(mortal, self._put, None, clock)

    async def _put(self, entries: Sequence[Delivery]) -> None:
        for entry in entries:
            self._into_inbox(entry)
        if self.mortal.dies_at == "put":
            self.mortal.dies_at = None
            raise Killed

    def _into_inbox(self, entry: Delivery) -> None:
        lane = self.lanes.get(entry.customer)
        if lane is not None and entry.id not in lane.known:
            lane.known.add(entry.id)
            lane.inbox.append(entry)

    # ------------------------------------------------------------------ steps

    def customer_writes(self, customer: str, kind: str) -> None:
        self._count += 1
        wamid = f"wamid.{customer}.{self._count}"
        words = {"angry": f"this is fraud {wamid}", "wish": "back to the bot"}.get(kind, f"hello {wamid}")
        self.lanes[customer].written.append((wamid, kind))
        self._into_inbox(Delivery("message", customer, wamid, {"text": words, "kind": kind}))

    def consume(self, customer: str) -> None:
        """One stage of the turn of the customer's next entry."""
        lane = self.lanes[customer]
        if lane.turn is None:
            if lane.inbox:
                lane.turn = {"entry": lane.inbox[0], "stage": "begun", "replies": [], "epoch": 0}
            return
        turn = lane.turn
        if turn["stage"] == "begun":
            self._begin(customer, turn)
        elif turn["stage"] == "compute":
            self._compute(customer, turn)
        elif turn["stage"] == "computed" and self._taken_over_during_turn(customer, turn):
            turn["stage"], turn["replies"] = "begun", []
        elif turn["stage"] == "computed":
            turn["stage"] = "commit"
        else:
            for number, reply in enumerate(turn["replies"], 1):
                lane.outbox.append({**reply, "key": f"{turn['entry'].id}:{number}", "epoch": turn["epoch"],
                                    "wamid": turn["entry"].id})  # fmt: skip
            lane.inbox.pop(0)
            lane.turn = None

    def _begin(self, customer: str, turn: dict[str, Any]) -> None:
        entry: Delivery = turn["entry"]
        turn["stage"] = "commit"
        if entry.kind == "agent_comment":
            turn["replies"] = [{"author": "agent", "text": entry.payload["text"]}]
        elif entry.kind == "conversation_returned":
            if self.calls_returned and self._run(self.control.accept_return(customer, entry.id)).owner != "bot":
                return
            turn["replies"] = [{"author": "assistant", "text": "returned", "reason": entry.payload["reason"]}]
        else:
            state = self.control.read(customer)
            turn["epoch"] = state.control_version
            if state.owner == "bot" or state.opened_by == entry.id:
                turn["stage"] = "compute"
                return
            words = CustomerMessage(entry.id, entry.payload["text"], self.now)
            try:
                customer_said(self.mortal, customer, words, self.configuration, self.now)  # type: ignore[arg-type]
            except ControlReturned:
                turn["stage"] = "begun"

    def _taken_over_during_turn(self, customer: str, turn: dict[str, Any]) -> bool:
        state = self.control.read(customer)
        return state.owner != "bot" and state.opened_by != turn["entry"].id

    def _compute(self, customer: str, turn: dict[str, Any]) -> None:
        entry: Delivery = turn["entry"]
        turn["stage"] = "computed"
        if entry.payload["kind"] != "angry":
            turn["replies"] = [{"author": "assistant", "text": "answer"}]
            return
        opened = open_takeover(self.mortal, request(customer, entry.id, at=self.now), now=self.now)  # type: ignore[arg-type]
        said = "already" if opened.outcome == "already_waiting" else "connecting"
        turn["replies"] = [{"author": "assistant", "text": said, "reference": opened.reference}]

    def send(self, customer: str) -> None:
        """The gate, then (as a step of its own) Graph."""
        lane = self.lanes[customer]
        if not lane.outbox:
            return
        reply = lane.outbox[0]
        if lane.in_flight:
            lane.in_flight = False
            lane.outbox.pop(0)
            if reply["key"] not in {sent["key"] for sent in lane.graph}:
                lane.graph.append(reply)
        elif self._run(self.control.admit_reply(customer, reply["epoch"], reply["wamid"])):
            lane.in_flight = True
        else:
            wamid = reply["wamid"]
            told = reply_suppressed(self.mortal, customer, wamid, f"held {wamid}", self.now)  # type: ignore[arg-type]
            lane.outbox.pop(0)
            if not told:  # the person who had it is gone by now
                lane.dropped.add(wamid)

    def kill_server(self) -> None:
        """Turns are taken again from their start; what Graph accepted is known from its statuses."""
        for lane in self.lanes.values():
            lane.turn, lane.in_flight = None, False

    def agent(self, what: str) -> None:
        """An agent writes or decides about a random ticket; Zendesk tells us, sooner or later."""
        if not self.desk.made:
            return
        external_id = self.chance.choice(self.desk.made[-4:])
        self.now += 1.0  # Zendesk's times are whole seconds
        if what in ("comment", "comment_and_solve", "note"):
            text = f"{what} {self.desk.next_comment}"
            public = what != "note"
            if public:
                self.public[text] = self._state_of(external_id)
            else:
                self.private.add(text)
            seen = self.desk.add(external_id, text, public, True, self.now)
            said = {"id": seen.id, "body": text, "is_public": public, "author": {"id": "5", "is_staff": True}}
            status = "SOLVED" if what == "comment_and_solve" else self.desk.tickets[external_id].upper()
            self._tell(external_id, "comment_added", {"comment": said}, status, text)
        if what in ("solve", "comment_and_solve", "reopen"):
            status = "open" if what == "reopen" else "solved"
            if self.desk.tickets[external_id] != status:
                self.desk.tickets[external_id] = status
                self._tell(external_id, "status_changed", {"current": status.upper()}, status.upper(), "")

    def _state_of(self, external_id: str) -> str:
        with self.db.read() as connection:
            found = select(takeovers.c.state).where(takeovers.c.external_id == external_id)
            return str(connection.execute(found).scalar_one())

    def _tell(self, external_id: str, kind: str, said: dict[str, Any], status: str, text: str) -> None:
        at = dt.datetime.fromtimestamp(self.now, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        detail = {"id": f"T{self.desk.made.index(external_id)}", "external_id": external_id, "status": status}
        self.events.append({"type": f"zen:event-type:ticket.{kind}", "time": at, "detail": detail, "event": said,
                            "text": text})  # fmt: skip

    def webhook(self, how: str) -> None:
        """A random one of the pending events arrives: once, twice, or never."""
        if not self.events:
            return
        event = self.events[self.chance.randrange(len(self.events))]
        if how == "lost":
            self.events.remove(event)
            self.lost_webhooks.add(event["text"])
            return
        parsed = parse_event(json.dumps(event).encode(), self.now)
        if parsed is not None:
            take(self.mortal, parsed, self.now)  # type: ignore[arg-type]
        if how != "twice":
            self.events.remove(event)  # a server that dies has not answered, so the event comes again

    def worker(self, part: str) -> None:
        if part == "deliver":
            self._run(self.deliveries.drain())
        due, work = {
            "dispatch": (self.dispatcher.due, self.dispatcher.work), "poll": (self.poller.due, self.poller.poll),
        }.get(part, (list, None))  # fmt: skip
        for number in due():
            work(number)

    def step(self, name: str, *arguments: str, dies_at: str | None = None) -> None:
        """One step, whose process may die in it; remembers which comments took control."""
        self.mortal.dies_at = dies_at
        try:
            getattr(self, name)(*arguments)
        except Killed:
            if name in ("consume", "send"):
                self.kill_server()
        finally:
            self.mortal.dies_at = None
            self.observe()

    def observe(self) -> None:
        """Which comments took control, and which customers took it back, as the database tells it now."""
        with self.db.read() as connection:
            new = connection.execute(
                select(deliveries.c.id, deliveries.c.payload, takeovers.c.state, takeovers.c.return_version)
                .join(takeovers, takeovers.c.id == deliveries.c.takeover_id)
                .where(deliveries.c.id > self._seen, deliveries.c.kind == "agent_comment")
            ).all()
            waiting = select(thread_controls.c.opened_by, thread_controls.c.control_version).where(
                thread_controls.c.owner == "waiting", thread_controls.c.customer.in_(list(self.lanes))
            )
            self.called |= dict(connection.execute(waiting).all())
            wishes = connection.execute(
                select(thread_controls.c.customer, thread_controls.c.control_version)
                .join(takeovers, takeovers.c.id == thread_controls.c.takeover_id)
                .where(takeovers.c.closed_as == "customer", takeovers.c.customer.in_(list(self.lanes)))
            ).all()
        for row in new:
            self._seen = row.id
            if row.state == "agent" and row.return_version is None and row.payload:
                self.takes_control.add(json.loads(row.payload)["text"])
        for row in wishes:
            if (row.customer, row.control_version) not in self.wished:
                self.wished.add((row.customer, row.control_version))
                self.lanes[row.customer].graph.append({"author": "customer", "text": "wish", "key": ""})

    # ------------------------------------------------------------------ the end

    def settle(self) -> None:
        """A calm day after: everything arrives, nothing fails, nobody writes."""
        self.desk.down = self.desk.loses = False
        for round_number in range(60):
            while self.events:
                self.webhook("once")
                self.observe()
            for part in ("poll", "dispatch", "deliver"):
                self.worker(part)
                self.observe()
            for customer, lane in self.lanes.items():
                for _ in range(400):
                    if not (lane.inbox or lane.outbox or lane.turn):
                        break
                    self.consume(customer)
                    self.send(customer)
                    self.observe()
            self.now += 130
            if round_number > 7 and not self._pending():
                break

    def _pending(self) -> int:
        mine = list(self.lanes)
        with self.db.read() as connection:
            waiting = select(deliveries.c.id).where(deliveries.c.state == "pending", deliveries.c.customer.in_(mine))
            orders = (
                select(jobs.c.id)
                .join(takeovers, takeovers.c.id == jobs.c.takeover_id)
                .where(jobs.c.state == "pending", takeovers.c.customer.in_(mine))
            )
            return sum(len(connection.execute(found).all()) for found in (waiting, orders))
