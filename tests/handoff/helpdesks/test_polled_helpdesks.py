"""Helpdesks without webhooks of use: all that agents do is found by reading the ticket, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.jobs.deliveries import Deliveries, Delivery
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.tables import takeovers
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from handoff.takeover.thread_control import ThreadControl
from tests.handoff.helpdesks import backend_samples as backends
from tests.handoff.samples import NOW

CUSTOMER = "919876543210"


@pytest.fixture(params=["freshdesk", "hubspot", "chatwoot"])
def backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[backends.Backend]:
    yield from backends.BACKENDS[request.param](tmp_path)


def test_an_agents_answer_arrives_and_solving_gives_the_conversation_back(
    db: Database, configuration: HandoffConfiguration, request_for: Any, backend: backends.Backend
) -> None:
    now, arrived = [NOW], list[Delivery]()
    clock = lambda: now[0]  # noqa: E731

    async def put(entries: Any) -> None:
        arrived.extend(entries)

    dispatcher = Dispatcher(db, backend.helpdesk, configuration, [], "key", clock)
    poller = TicketPoller(db, backend.helpdesk, configuration, clock)
    opened = open_takeover(db, request_for(), now=NOW)
    dispatcher.work(opened.takeover_id)
    customer_said(db, CUSTOMER, CustomerMessage("wamid.2", "are you there?", NOW), configuration, NOW)
    now[0] += 30
    dispatcher.work(opened.takeover_id)
    assert any("are you there?" in text for text in backend.texts())

    with db.read() as connection:
        ticket_id = connection.execute(select(takeovers.c.ticket_id)).scalar_one()
    backend.reply(ticket_id, "Meera here", True)
    backend.reply(ticket_id, "looks odd, check the courier", False)
    now[0] += 60
    for number in poller.due():
        poller.poll(number)
    backend.solve(ticket_id)
    now[0] += 60
    for number in poller.due():
        poller.poll(number)
    asyncio.run(Deliveries(db, put, None, clock).drain())

    assert [entry.kind for entry in arrived] == ["agent_comment", "conversation_returned"]
    assert arrived[0].payload["text"] == "Meera here"
    assert "courier" not in json.dumps([entry.payload for entry in arrived])
    control = ThreadControl(db, configuration)
    assert asyncio.run(control.owner(CUSTOMER)).owner == "agent"
    assert asyncio.run(control.accept_return(CUSTOMER, arrived[1].id)).owner == "bot"
