"""Started again, the twin remembers what the product remembers; started over, it forgets one customer."""

from __future__ import annotations

from pathlib import Path

from tests.twin.standin import ASHA, TOKEN, RunningTwin, running_twin

KEY = ASHA.lstrip("+")


async def open_ticket(twin: RunningTwin) -> int:
    ticket = {
        "subject": "x", "priority": "high", "requester": {"name": "Asha", "external_id": "a", "phone": ASHA},
        "comment": {"body": "note", "public": False},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with twin.session.post(
        f"{twin.url}/helpdesk/api/v2/tickets", json={"ticket": ticket}, headers=headers
    ) as answer:
        return int((await answer.json())["ticket"]["id"])


async def test_chats_and_tickets_are_there_again_and_what_was_not_taken_is_delivered(tmp_path: Path) -> None:
    async with running_twin(tmp_path) as twin:
        await twin.write(text="before")
        await twin.until(lambda: twin.assistant.messages)
        await twin.assistant.text(KEY, "answered")
        number = await open_ticket(twin)
        twin.assistant.statuses = [503] * 50
        await twin.write(text="not taken")
    async with running_twin(tmp_path) as twin:
        chat = await twin.get(f"/phone/api/chats/{KEY}")
        texts = [message["content"]["text"]["body"] for message in chat["messages"]]
        assert texts == ["before", "answered", "not taken"]
        await twin.until(lambda: [one["text"]["body"] for one in twin.assistant.messages] == ["not taken"])
        tickets = (await twin.get("/helpdesk/desk/tickets"))["tickets"]
        assert [(one["id"], one["requester"]["phone"]) for one in tickets] == [(number, ASHA)]
        assert await open_ticket(twin) > number
        status, _ = await twin.assistant.text(KEY, "still within the day")
        assert status == 200


async def test_a_customer_who_starts_over_has_an_empty_phone_and_no_tickets(tmp_path: Path) -> None:
    async with running_twin(tmp_path) as twin:
        await twin.write(text="hi")
        await twin.write(customer="+919812345670", text="hi")
        await open_ticket(twin)
        status, _ = await twin.post(f"/phone/api/chats/{KEY}/start-over")
        assert status == 200
        assert (await twin.get(f"/phone/api/chats/{KEY}"))["messages"] == []
        assert (await twin.get("/helpdesk/desk/tickets"))["tickets"] == []
        assert len((await twin.get("/phone/api/chats/919812345670"))["messages"]) == 1


async def test_a_memory_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "twin.json").write_text('{"chats": [{}]}')
    async with running_twin(tmp_path) as twin:
        await twin.write(text="hi")
        assert len((await twin.get(f"/phone/api/chats/{KEY}"))["messages"]) == 1


async def test_another_shop_is_gone_on_with_only_if_it_is_at_hand(tmp_path: Path) -> None:
    async with running_twin(tmp_path) as twin:
        assert (await twin.get("/control/shop"))["shops"] == []
        status, _ = await twin.post("/control/shop", folder="/etc")
        assert status == 400
        assert not (tmp_path / "kill").exists()


async def test_a_name_that_was_made_to_lead_here_is_refused(tmp_path: Path) -> None:
    async with running_twin(tmp_path) as twin:
        for host, status in (("evil.example", 403), ("localhost:1", 200), ("127.0.0.1", 200)):
            async with twin.session.get(f"{twin.url}/phone/api/state", headers={"Host": host}) as answer:
                assert answer.status == status, host


async def test_the_phone_forgets_nothing_that_the_assistant_could_not_forget(tmp_path: Path) -> None:
    async with running_twin(tmp_path, inspector_url="http://127.0.0.1:1") as twin:
        await twin.write(text="hi")
        status, answer = await twin.post(f"/phone/api/chats/{KEY}/start-over")
        assert (status, "Try again" in answer["error"]) == (503, True)
        assert len((await twin.get(f"/phone/api/chats/{KEY}"))["messages"]) == 1
