"""What only Chatwoot is asked, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handoff.helpdesks.chatwoot import Chatwoot
from handoff.helpdesks.interface import Gone, NewComment, NotAllowed
from settings import SettingsError, load
from tests.handoff.helpdesks.backend_samples import DRAFT, NOTE, WORDS, Backend, chatwoot_backend


@pytest.fixture
def chatwoot(tmp_path: Any) -> Iterator[Backend]:
    yield from chatwoot_backend(tmp_path)


def test_a_conversation_begins_with_the_private_note_and_says_what_it_is_about(chatwoot: Backend) -> None:
    there = chatwoot.extra["there"]
    ticket = chatwoot.helpdesk.open_ticket(replace(DRAFT, follows="12"), False)
    conversation = there.conversations[int(ticket.id)]
    assert conversation["custom_attributes"] == {
        "assistant_handoff_id": "handoff:0f0e-1", "ticket": "MG-1001", "order_number": "10234", "follows": "12",
    }  # fmt: skip
    assert (conversation["status"], conversation["priority"]) == ("open", "urgent")
    assert conversation["labels"] == ["reason_complaint", "whatsapp_assistant"]
    (note,) = there.messages[int(ticket.id)]
    assert note["private"]
    assert "this is fraud <b>" in note["content"]
    assert ticket.url.endswith(f"/app/accounts/3/conversations/{ticket.id}")


def test_a_customer_whom_the_shop_knows_by_number_is_not_made_twice(chatwoot: Backend) -> None:
    there = chatwoot.extra["there"]
    there.contacts[50] = {"id": 50, "name": "Asha", "phone_number": DRAFT.phone, "identifier": "crm-9"}
    there.contacts[51] = {"id": 51, "name": "x", "phone_number": None, "identifier": f"whatsapp:{DRAFT.customer}00"}
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    assert (ticket.requester_id, len(there.contacts)) == ("50", 2)


def test_a_number_that_chatwoot_refuses_does_not_cost_the_ticket(chatwoot: Backend) -> None:
    ticket = chatwoot.helpdesk.open_ticket(replace(DRAFT, phone="919876543210"), False)
    assert ticket.without == ("phone",)


def test_a_conversation_of_a_blocked_contact_is_opened_where_agents_see_it(chatwoot: Backend) -> None:
    there = chatwoot.extra["there"]
    there.contacts[50] = {"id": 50, "name": "Asha", "phone_number": DRAFT.phone, "identifier": None, "blocked": True}
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    assert there.conversations[int(ticket.id)]["status"] == "open"


def test_the_newest_of_more_messages_than_twenty_pages_hold_is_read(chatwoot: Backend) -> None:
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    for number in range(2100):
        chatwoot.extra["there"].say(int(ticket.id), f"note {number}", private=True)
    chatwoot.extra["there"].say(int(ticket.id), "the last")
    assert [seen.text for seen in chatwoot.helpdesk.read_ticket(ticket).comments if seen.public] == ["the last"]


def test_each_takeover_of_a_customer_has_a_conversation_of_its_own(chatwoot: Backend) -> None:
    first = chatwoot.helpdesk.open_ticket(DRAFT, False)
    second = chatwoot.helpdesk.open_ticket(replace(DRAFT, external_id="handoff:2"), True)
    assert first.id != second.id
    assert first.requester_id == second.requester_id


def test_status_priority_and_labels_change_with_a_comment(chatwoot: Backend) -> None:
    there = chatwoot.extra["there"]
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    left = NewComment("assistant", "left (m)", "m", status="pending", priority="high", add_tag="with_the_assistant")
    chatwoot.helpdesk.add_comment(ticket, left, False)
    conversation = there.conversations[int(ticket.id)]
    assert (conversation["status"], conversation["priority"]) == ("pending", "high")
    back = NewComment("assistant", "back (n)", "n", status="solved", remove_tag="with_the_assistant")
    chatwoot.helpdesk.add_comment(ticket, back, False)
    assert conversation["labels"] == ["reason_complaint", "whatsapp_assistant"]
    assert chatwoot.helpdesk.read_ticket(ticket).status == "solved"


def test_what_goes_wrong_with_them_does_not_repeat_the_comment(chatwoot: Backend) -> None:
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    there = chatwoot.extra["there"]
    there.faults.next = [None, {"kind": "error", "status": 500}]
    assert chatwoot.helpdesk.add_comment(ticket, replace(NOTE, status="pending"), False)
    assert sum(NOTE.marker in text for text in chatwoot.texts()) == 1


def test_only_what_people_said_is_read_and_all_of_a_long_conversation(chatwoot: Backend) -> None:
    there = chatwoot.extra["there"]
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    number = int(ticket.id)
    for count in range(250):
        there.say(number, f"line {count}", private=True)
    there.say(number, "We are closed", message_type="outgoing")["message_type"] = 3
    there.say(number, "Meera was assigned", message_type="outgoing")["message_type"] = 2
    there.say(number, "This message was deleted", content_attributes={"deleted": True})
    picture = [{"data_url": "https://chat.example/rails/label.pdf"}, {"file_type": "location"}]
    there.say(number, None, attachments=picture)
    there.say(number, "It is **on its way**\nbye")
    public = [seen for seen in chatwoot.helpdesk.read_ticket(ticket).comments if seen.public and seen.by_staff]
    assert [seen.text for seen in public] == ["", "It is *on its way*\nbye"]
    assert public[0].media == ("https://chat.example/rails/label.pdf",)
    assert public[0].at == 1800000000


def test_a_conversation_that_was_deleted_is_gone(chatwoot: Backend) -> None:
    ticket = chatwoot.helpdesk.open_ticket(DRAFT, False)
    del chatwoot.extra["there"].conversations[int(ticket.id)]
    for ask in (chatwoot.helpdesk.read_ticket, lambda one: chatwoot.helpdesk.add_comment(one, WORDS, False)):
        with pytest.raises(Gone):
            ask(ticket)


def test_a_wrong_token_is_an_operators_business(chatwoot: Backend) -> None:
    chatwoot.helpdesk._call.__self__._headers = {"api_access_token": "old"}  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed):
        chatwoot.helpdesk.open_ticket(DRAFT, False)


@pytest.mark.parametrize("wrong", [{"CHATWOOT_INBOX_ID": ""}, {"CHATWOOT_ACCOUNT_ID": "main"}])
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, str], tmp_path: Any) -> None:
    values = {"CHATWOOT_URL": "https://chat.example", "CHATWOOT_ACCOUNT_ID": "3", "CHATWOOT_INBOX_ID": "7",
              "CHATWOOT_ACCESS_TOKEN": "t"}  # fmt: skip
    assert load(values, tmp_path / "none").ticketing == "chatwoot"
    Chatwoot.from_settings(load(values, tmp_path / "none"))
    with pytest.raises(SettingsError, match="CHATWOOT_INBOX_ID"):
        Chatwoot.from_settings(load(values | wrong, tmp_path / "none"))
