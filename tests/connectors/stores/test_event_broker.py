"""Dialogue events reach the log's stream: with the turn's commit, or at once outside of a turn."""

from __future__ import annotations

from rasa.utils.endpoints import EndpointConfig

from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn, current_turn
from connectors.stores.event_broker import StreamEventBroker
from tests.connectors.message_bus.log_records import records


async def test_inside_a_turn_events_wait_for_its_commit(redis_url: str) -> None:
    broker = await StreamEventBroker.from_endpoint_config(EndpointConfig(url=redis_url))
    turn = Turn(Entry("message", "91", "w", {}), {})
    token = current_turn.set(turn)
    broker.publish({"sender_id": "91", "event": "user", "text": "hi"})
    current_turn.reset(token)
    assert turn.events == [{"event": "user", "text": "hi"}]
    assert records(redis_url) == []


async def test_outside_of_a_turn_an_event_is_stored_at_once(redis_url: str) -> None:
    broker = await StreamEventBroker.from_endpoint_config(EndpointConfig(url=redis_url))
    broker.publish({"sender_id": "91", "event": "reminder"})
    [record] = records(redis_url)
    assert (record["record"], record["customer"], record["events"]) == ("turn", "91", [{"event": "reminder"}])
    await broker.close()
