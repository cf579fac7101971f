"""A person takes over, through the real servers and the helpdesk's HTTP API: ticket, silence, reply, solved, back."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx

from tests.journeys.shop import Customer, Shop, words

ROHAN, LAKSHMI, FARHAN = "+919830055667", "+919447012345", "+919845098450"


def ticket_of(shop: Shop, customer: Customer, seconds: float = 20) -> dict[str, Any]:
    """The customer's newest ticket, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = [ticket for ticket in shop.tickets() if customer.key in str(ticket)]
        if found:
            return found[-1]
        time.sleep(0.3)
    raise AssertionError("no ticket was opened")


def comments(shop: Shop, ticket: int) -> str:
    return "\n".join(c["body"] for t in shop.tickets() if t["id"] == ticket for c in t["comments"])


def test_angry_customer_gets_a_person_and_then_the_assistant_again(shop: Shop) -> None:
    rohan = shop.customer(ROHAN)
    rohan.say("where is order 10226")
    assert "ticket" in words(rohan.say("this is a fraud, i will go to consumer court!!"))
    ticket = ticket_of(shop, rohan)
    assert ticket["priority"] == "urgent"
    assert "consumer court" in ticket["comments"][0]["body"]
    assert "10226" in ticket["comments"][0]["body"]

    rohan.write(text="is anyone there? my neighbour saw the parcel")
    assert rohan.hears_nothing(3)
    shop.agent_writes(ticket["id"], "Internal: check with the courier.", public=False)
    shop.agent_writes(ticket["id"], "Hi Rohan, Dev here. I am calling the courier now.")
    said = words(rohan.listen())
    assert "Dev here" in said
    assert "Internal" not in said
    deadline = time.monotonic() + 30
    while "my neighbour saw" not in comments(shop, ticket["id"]) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "my neighbour saw" in comments(shop, ticket["id"])

    shop.agent_writes(ticket["id"], "It comes tomorrow.", status="solved")
    said = words(rohan.listen(quiet_s=4))
    assert "It comes tomorrow." in said
    assert "closed your ticket" in said
    assert "#10226" in words(rohan.say("status of 10226"))


def test_photo_that_a_customer_sends_is_a_link_in_the_ticket_and_the_agents_file_a_document(shop: Shop) -> None:
    farhan = shop.customer(FARHAN)
    farhan.say("i want to talk to a human")
    ticket = ticket_of(shop, farhan)
    assert "\nMood: no anger noticed; asks for a person" in ticket["comments"][0]["body"]
    farhan.write("image", caption="it arrived torn")
    deadline = time.monotonic() + 30
    while "it arrived torn" not in comments(shop, ticket["id"]) and time.monotonic() < deadline:
        time.sleep(0.5)
    link = re.search(r"\[image: (http\S+)\]", comments(shop, ticket["id"]))
    assert link
    photo = httpx.get(link[1])
    assert photo.status_code == 200
    assert photo.headers["content-type"].startswith("image/")
    assert httpx.get(link[1][:-1] + "x").status_code == 404
    shop.agent_writes(ticket["id"], "Thank you.", status="solved", file=b"%PDF-1.7 an invoice")
    said = farhan.listen(quiet_s=6)
    assert [body["document"]["filename"] for body in said if body["type"] == "document"] == ["invoice.pdf"]
    assert [body["type"] for body in said][:2] == ["text", "document"]
    assert "closed your ticket" in words(said[-1:])
    assert shop.refused() == []


def test_customer_who_waits_can_go_back_to_the_assistant(shop: Shop) -> None:
    lakshmi = shop.customer(LAKSHMI)
    assert "ticket" in words(lakshmi.say("let me talk to a human please"))
    assert "with me again" in words(lakshmi.say("back to the bot"))
    assert "#10252" in words(lakshmi.say("where is my order"))
