"""Customers cancel, change and send back by themselves in the running product: once, on a yes, and only their own."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.journeys.shop import Shop, options, words

LAKSHMI, FARHAN, ASHA, STRANGER = "+919447012345", "+919845098450", "+919876543210", "+919700000321"


@pytest.fixture(autouse=True)
def _without_faults(shop: Shop) -> None:
    shop.twin.put("/shop/faults", json={}).raise_for_status()


def acts(shop: Shop, order: str) -> list[dict[str, Any]]:
    return [act for act in shop.twin.get("/shop/acts").json() if act["body"]["order_id"] == order]


def test_yes_that_meta_delivers_three_times_cancels_once_and_the_order_shows_it(shop: Shop) -> None:
    farhan = shop.customer(FARHAN)
    assert "Shall I cancel order #10304 now?" in words(farhan.say("please cancel 10304"))
    assert not acts(shop, "10304")
    assert "#10304 is cancelled" in words(farhan.say("yes", copies=3))
    assert farhan.hears_nothing(1)
    assert [act["asked"] for act in acts(shop, "10304")] == [1]
    assert "cancel" in words(farhan.say("where is 10304"))
    farhan.say("yes")
    assert len(acts(shop, "10304")) == 1
    assert 'assistant_self_service_total{action="cancel",outcome="done"}' in httpx.get(f"{shop.rasa_url}/metrics").text


def test_anything_but_a_yes_does_nothing(shop: Shop) -> None:
    farhan = shop.customer(FARHAN)
    farhan.say("cancel order 10307")
    for said in ("ok", "yes but is it free", "hmm", "yes?"):
        assert "cancelled" not in words(farhan.say(said))
    assert "left order #10307" in words(farhan.say("no")) or not acts(shop, "10307")
    assert not acts(shop, "10307")


def test_another_customers_order_is_not_touched(shop: Shop) -> None:
    stranger = shop.customer(STRANGER)
    stranger.say("cancel order 10308")
    stranger.say("yes")
    stranger.say("yes, cancel 10308")
    assert not acts(shop, "10308")


def test_address_is_asked_repeated_and_changed(shop: Shop) -> None:
    lakshmi = shop.customer(LAKSHMI)
    assert "new address" in words(lakshmi.say("change the delivery address of 10252"))
    assert "14 Lake View Road" in words(lakshmi.say("14 Lake View Road, Kochi 682016"))
    assert "new address" in words(lakshmi.tap("Yes, do it"))
    assert [act["body"]["address"] for act in acts(shop, "10252")] == ["14 Lake View Road, Kochi 682016"]
    logged = shop.output.read_text(errors="replace")
    assert "self_service.asked action=address outcome=done" in logged
    assert "Lake View" not in logged


def test_return_is_registered_though_the_shop_first_answers_badly(shop: Shop) -> None:
    asha = shop.customer(ASHA)
    offered = asha.say("i want to return 10187")
    assert [row["title"] for row in options(offered[0])] == ["2 × Blue cotton kurta", "Brass lamp", "Everything"]
    asha.pick("Brass lamp")
    asha.tap("It does not fit")
    assert "an exchange" in words(asha.tap("Exchange"))
    shop.twin.put("/shop/faults", json={"faults": ["done_but_server_error"]})
    assert "is registered" in words(asha.tap("Yes, do it"))
    [act] = acts(shop, "10187")
    assert (act["asked"], act["body"]["wish"]) == (2, "exchange")
    assert act["body"]["items"] == [{"item_id": "10187-2", "quantity": 1}]


def test_reason_of_the_shop_is_told(shop: Shop) -> None:
    farhan = shop.customer(FARHAN)
    farhan.say("cancel 10309")
    shop.twin.put("/shop/faults", json={"refusals": {"10309": "It is [made](http://evil.example) to *measure*."}})
    said = words(farhan.tap("Yes, do it"))
    assert "It is (made" in said
    assert "evil" not in said
    assert "*" not in said


def test_outcome_that_nobody_knows_is_a_ticket_that_says_so(shop: Shop) -> None:
    farhan = shop.customer(FARHAN)
    farhan.say("cancel 10305")
    shop.twin.put("/shop/faults", json={"faults": ["server_error"] * 20})
    said = words(farhan.tap("Yes, do it"))
    assert "can't tell whether" in said
    assert "ticket" in said
    deadline = time.monotonic() + 30
    while "cancel order #10305" not in (notes := str(shop.tickets()[-1:])):
        assert time.monotonic() < deadline, notes
        time.sleep(0.2)
    assert "may or may not have been done" in notes
