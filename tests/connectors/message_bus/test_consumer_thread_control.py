"""While a person has the conversation, and when it comes back."""

from __future__ import annotations

import json
from typing import Any

from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from handoff.storage.database import HandoffUnavailable, Unstorable
from handoff.takeover.thread_control import Relayed
from tests.connectors.message_bus.log_records import dead, records
from tests.connectors.message_bus.transport_fakes import FakeSpeaker, Process, message


class PersonInControl:
    """A person owns the conversation."""

    owner_name = "agent"

    def __init__(self) -> None:
        self.relayed: list[str] = []
        self.unreachable = 0
        self.may = True

    async def owner(self, customer: str) -> Any:
        if self.unreachable:
            self.unreachable -= 1
            raise HandoffUnavailable
        return type("State", (), {"owner": self.owner_name, "control_version": 7, "opened_by": None})()

    async def admit_reply(self, customer: str, control_version: int, wamid: str | None) -> bool:
        return self.may

    async def relay(self, customer: str, entry: Entry, wish: Any = None) -> Relayed:
        self.relayed.append(entry.id)
        return Relayed()

    async def not_delivered(self, entry_id: str, why: str) -> None:
        self.relayed.append(f"{entry_id} {why}")

    async def reply_suppressed(self, customer: str, wamid: str, answer: str) -> None:
        self.relayed.append(f"{wamid} {answer}")


async def test_while_a_person_is_in_control_messages_go_to_the_ticket_and_nothing_is_said(redis_url: str) -> None:
    control = PersonInControl()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "a"), message("91", "b")])
    await process.drained()
    assert control.relayed == ["a", "b"]
    assert process.speaker.answered == []
    assert process.graph.accepted == []
    assert [r["record"] for r in records(redis_url)] == ["inbound", "inbound"]
    await process.stop()


async def test_words_that_the_database_does_not_take_are_set_aside_and_hold_up_nobody(redis_url: str) -> None:
    class Picky(PersonInControl):
        async def relay(self, customer: str, entry: Entry, wish: Any = None) -> Relayed:
            if entry.id == "a":
                raise Unstorable("DataError")
            return await super().relay(customer, entry, wish)

    control = Picky()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "a"), message("91", "b")])
    await process.drained()
    assert control.relayed == ["b"]
    (letter,) = dead(redis_url)
    assert json.loads(json.loads(letter["j"])["entry"])["id"] == "a"
    await process.stop()


async def test_a_turn_that_died_after_it_called_a_person_runs_again_and_says_so(redis_url: str) -> None:
    class Called(PersonInControl):
        async def owner(self, customer: str) -> Any:
            return type("State", (), {"owner": "waiting", "control_version": 8, "opened_by": "angry"})()

    control = Called()
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "angry", "this is fraud"), message("91", "b", "hello?")])
    await process.drained()
    assert process.graph.texts("91") == ["echo this is fraud"]
    assert control.relayed == ["b"]
    await process.stop()


async def test_an_agent_who_speaks_up_while_an_answer_is_made_gets_the_message(redis_url: str) -> None:
    control = PersonInControl()
    control.owner_name = "bot"

    class Overtaken(FakeSpeaker):
        async def answer(self, turn: Turn) -> None:
            await super().answer(turn)
            control.owner_name = "agent"

    process = Process(redis_url, Overtaken(), control=control).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert control.relayed == ["a"]
    assert process.graph.accepted == []
    assert [r["record"] for r in records(redis_url)] == ["inbound"], "a turn that did not happen is not in the log"
    await process.stop()


async def test_nothing_is_said_on_a_guess_while_the_owner_is_unknown(redis_url: str) -> None:
    control = PersonInControl()
    control.owner_name, control.unreachable = "bot", 4
    process = Process(redis_url, control=control).start()
    await process.inbox.put([message("91", "a", "hi")])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi"]
    assert len(dead(redis_url)) == 0
    await process.stop()


async def test_an_agents_words_are_passed_on_without_the_dialogue(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "a", "hi")])
    comment = Entry("agent_comment", "91", "c1", {"text": "I will check.", "media": ["https://x.example/a.png"]})
    await process.inbox.put([comment])
    await process.drained()
    assert process.graph.texts("91") == ["echo hi", "I will check.\nhttps://x.example/a.png"]
    assert [r["author"] for r in records(redis_url) if r["record"] == "sent"] == ["assistant", "agent"]
    await process.stop()


async def test_a_returned_conversation_is_announced_and_begins_afresh(redis_url: str) -> None:
    process = Process(redis_url).start()
    await process.inbox.put([message("91", "a")])
    await process.inbox.put([Entry("conversation_returned", "91", "r1", {"reason": "solved"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r2", {"reason": "customer"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r3", {"reason": "unreachable"})])
    await process.inbox.put([Entry("conversation_returned", "91", "r4", {"reason": "settled"})])
    await process.drained()
    assert process.graph.texts("91")[1:] == [
        "utter_handoff_ended", "utter_handoff_cancelled_by_customer", "utter_handoff_unavailable",
        "utter_handoff_settled",
    ]  # fmt: skip
    assert process.speaker.restarted == ["91"] * 4
    await process.stop()
