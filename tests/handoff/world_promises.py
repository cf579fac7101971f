"""Every promise of the takeover code, held against a `World` that has settled."""

from __future__ import annotations

from sqlalchemy import select

from handoff.storage.tables import takeovers
from tests.handoff.world import Lane, World


def check(world: World) -> None:
    """Every promise, after `settle`."""
    assert len(world.desk.made) == len(set(world.desk.made)), "a ticket was opened twice"
    for customer, lane in world.lanes.items():
        _check_voices(world, customer, lane)
        _check_messages(world, customer, lane)
    _check_agents(world)


def _check_voices(world: World, customer: str, lane: Lane) -> None:
    human = False
    for message in lane.graph:
        if message["text"] == "wish" or message["text"] == "returned":
            human = False
        elif message["text"] == "connecting":
            human = (customer, world.called[message["wamid"]] + 1) not in world.wished
        elif message["author"] == "agent":
            human = human or message["text"] in world.takes_control
        elif human:
            raise AssertionError(f"two voices: {[(m['author'], m['text']) for m in lane.graph]}")


def _check_messages(world: World, customer: str, lane: Lane) -> None:
    sent = [message["key"] for message in lane.graph if message["key"]]
    assert len(sent) == len(set(sent)), "a reply was sent twice"
    answered = {message["wamid"] for message in lane.graph if message.get("wamid")}
    said = [seen.text for external_id, rows in world.desk.comments.items() for seen in rows]
    drafted = [draft for draft in world.desk.drafts.values() if draft.customer == customer]
    openers = _openers(world, customer)
    for wamid, kind in lane.written:
        in_ticket = sum(f" {wamid}\n" in f"{text}\n" for text in said)
        assert in_ticket <= 1, "a customer's words stand twice in tickets"
        heard = wamid in answered or in_ticket or wamid in lane.dropped or kind == "wish"
        assert heard, f"{wamid} ({kind}) reached neither the assistant nor a person"
        assert not (wamid in answered and in_ticket), "answered by the assistant and handed to a person"
    assert len(drafted) == len(openers)


def _openers(world: World, customer: str) -> set[str]:
    with world.db.read() as connection:
        found = select(takeovers.c.opened_by).where(takeovers.c.customer == customer)
        return set(connection.execute(found).scalars())


def _check_agents(world: World) -> None:
    sent = [message for lane in world.lanes.values() for message in lane.graph]
    heard = [message["text"] for message in sent if message["author"] == "agent"]
    assert len(heard) == len(set(heard)), "an agent's comment was sent twice"
    assert not set(heard) & world.private, "a private note reached the customer"
    late = {text for text, state in world.public.items() if state == "closed"}
    missing = set(world.public) - set(heard) - (world.lost_webhooks & late)
    assert not missing, f"agents' comments never arrived: {missing}"
