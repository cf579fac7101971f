"""What WhatsApp bills is booked once a message, leads to nobody, and is priced by the shop's rate card."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import settings
import shop
from connectors.whatsapp.webhook.payloads import parse_notification
from conversation_log.ingest import hot_tier
from conversation_log.ingest.stream import STREAMS, EventStream
from conversation_log.ingest.writer import CHARGES, Writer
from conversation_log.query.tiers import Period
from conversation_log.report.costs import Costs, gather, notes
from conversation_log.storage import database
from conversation_log.storage.tables import charges
from shop import Shop
from shop_costs import message_costs
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes, notification, value
from worker import budget

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=timezone.utc), None)


def status(
    wamid: str, name: str = "sent", at: datetime = NOON, to: Any = "919812345670", **pricing: Any
) -> dict[str, Any]:
    """A status as Meta sends it, read and made a record of the stream."""
    billed = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular", **pricing}
    raw = {"id": wamid, "status": name, "timestamp": str(int(at.timestamp())), "recipient_id": to, "pricing": billed}
    found = parse_notification(as_bytes(notification(value(statuses=[raw]))), OUR_NUMBER).statuses
    return found[0].record()


@pytest.fixture
def log(sql_url: str, redis_url: str) -> Iterator[Writer]:
    """The log's writer, with a database and a stream of its own."""
    engine = database.connect(sql_url)
    yield Writer(engine, EventStream(hot_tier.client(redis_url)), "test")
    engine.dispose()


def write(log: Writer, *records: dict[str, Any]) -> None:
    for record in records:
        log.stream._client.xadd(STREAMS[0], {"j": json.dumps(record)})
    log.step(100)


def test_a_message_is_booked_once_whatever_number_of_statuses_it_has(log: Writer) -> None:
    counted = CHARGES.labels("utility", "true")._value.get()
    write(log, status("wamid.1"), status("wamid.1", "delivered"))
    write(log, status("wamid.1", "read"), status("wamid.2", billable=False))
    with log.engine.connect() as connection:
        rows = connection.execute(select(charges)).mappings().all()
    assert sorted((row["category"], row["billable"], row["country"]) for row in rows) == [
        ("utility", False, "IN"), ("utility", True, "IN"),
    ]  # fmt: skip
    assert CHARGES.labels("utility", "true")._value.get() == counted + 1
    assert "wamid" not in str(rows)
    assert "98123" not in str(rows)


@pytest.mark.parametrize("pricing", [
    None, [], {}, {"category": None}, {"category": 7.5, "billable": "yes"}, {"category": "x" * 99},
])  # fmt: skip
def test_whatever_stands_in_the_pricing_no_status_is_lost(log: Writer, pricing: Any) -> None:
    raw = {"id": "wamid.1", "status": "sent", "timestamp": "1790000000", "pricing": pricing}
    [found] = parse_notification(as_bytes(notification(value(statuses=[raw]))), OUR_NUMBER).statuses
    assert found.status == "sent"
    write(log, found.record())


@pytest.mark.parametrize(("to", "country"), [
    ("447700900123", "GB"), ("not a phone", None), (None, None), ("919812345670", "IN"),
])
def test_the_country_is_the_recipients(to: Any, country: str | None) -> None:
    assert status("wamid.1", to=to)["pricing"].get("country") == country


def spent(log: Writer, card: dict[str, Any], period: Period = NOVEMBER, now: datetime = NOON) -> Costs:
    ours = Shop("Oak", currency="GBP", time_zone="UTC", message_costs=message_costs(card))
    return gather(log.engine, period, ours, now)


def test_rates_go_by_category_and_country_and_what_has_none_is_said(log: Writer) -> None:
    write(
        log, status("1"), status("2", to="447700900123"), status("3", category="marketing"),
        status("4", billable=False, category="service"),
    )  # fmt: skip
    costs = spent(log, {"rates": {"utility": {"GB": 0.02, "default": 0.001}}})
    assert costs.by_day == {"2026-11-23": pytest.approx(0.021)}
    assert costs.by_category["utility"] == pytest.approx(0.021)
    assert (costs.messages["utility"], costs.billed["service"], costs.unpriced) == (2, 0, 1)
    assert any("without a rate" in note for note in notes(costs))


def test_a_months_free_service_messages_cost_nothing_and_the_next_month_begins_anew(
    log: Writer
) -> None:
    october = NOON - timedelta(days=30)
    sent = [status(f"o{n}", at=october, category="service") for n in range(3)]
    sent += [status(f"n{n}", at=NOON + timedelta(seconds=n), category="service") for n in range(3)]
    sent[3]["pricing"]["billable"] = False  # Meta may mark the free ones, or not
    sent.append(status("ad", at=NOON - timedelta(1), category="service", billable=False, type="free_entry_point"))
    write(log, *sent)
    card = {"rates": {"service": 1}, "free_service_messages": 2, "monthly_budget": 0.5}
    costs = spent(log, card)
    assert (costs.total, costs.free_left) == (1.0, 0)
    assert any("OVER" in note for note in notes(costs))
    assert spent(log, card, Period()).total == 2.0
    later = spent(log, card, Period(NOON + timedelta(seconds=2)))
    assert (later.messages["service"], later.total) == (1, 1.0), "those before it in the month used the allowance"


def test_the_cost_of_an_answer_counts_for_its_feature(log: Writer) -> None:
    said = {"event": "bot", "text": "Shipped.", "metadata": {"utter_action": "utter_order_status_shipped"}}
    turn = {
        "record": "turn", "customer": "91", "metadata": {"wamid": "a", "kind": "text", "timestamp": NOON.timestamp()},
        "events": [{"event": "user", "text": "where?", "timestamp": NOON.timestamp()}, said],
        "replies": [{"text": "Shipped.", "metadata": said["metadata"]}],
    }  # fmt: skip
    billed = {**status("wamid.out", category="service"), "key": "a:1"}
    write(log, turn, billed)
    assert spent(log, {"rates": {"service": 1}}).by_feature == {"order_status": 1.0}


@pytest.mark.parametrize(("card", "remedy"), [
    ([], "rates"), ({"rate": {}}, "'rates'"), ({"rates": {"utilities": 1}}, "'utility'"),
    ({"rates": {"utility": "1p"}}, "0.0014"), ({"rates": {"utility": {"India": 1}}}, "IN"),
    ({"rates": {"utility": -1}}, "0.0014"), ({"rates": [1]}, "lines such as"),
    ({"free_service_messages": "many"}, "whole number"), ({"monthly_budget": True}, "amount"),
])  # fmt: skip
def test_a_mistake_in_the_rate_card_is_named(tmp_path: Any, card: Any, remedy: str) -> None:
    (tmp_path / "shop.yml").write_text(json.dumps({"name": "A", "message_costs": card}))
    with pytest.raises(shop.ShopError, match=remedy):
        shop.read(tmp_path)


def test_operators_see_how_much_of_the_months_budget_is_spent(log: Writer) -> None:
    write(log, *(status(f"wamid.{number}") for number in range(4)))
    ours = replace(shop.load(), message_costs=message_costs({"rates": {"utility": 0.5}, "monthly_budget": 8}))
    budget.show(budget.spent(log.engine, ours, NOON + timedelta(days=1)))
    assert budget.SPENT._value.get() == pytest.approx(0.25)
    assert budget.COST.labels("utility", "other")._value.get() == pytest.approx(2)
    budget.show(budget.spent(log.engine, ours, NOON + timedelta(days=30)))
    assert budget.SPENT._value.get() == 0


async def test_the_job_of_the_budget_goes_on_while_the_database_is_away(
    log: Writer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(log, status("wamid.1", at=datetime.now(timezone.utc)))
    ours = replace(shop.load(), message_costs=message_costs({"rates": {"utility": 1}, "monthly_budget": 4}))
    url, stop, measured, waited = log.engine.url.render_as_string(hide_password=False), asyncio.Event(), [], []
    answers = iter([OperationalError("", {}, Exception()), budget.spent(log.engine, ours, datetime.now(timezone.utc))])

    def spent(*_: object) -> Costs:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(event: asyncio.Event, seconds: float) -> None:
        measured.append(budget.SPENT._value.get())
        waited.append(seconds)
        if len(measured) == 2:
            event.set()

    monkeypatch.setattr(budget.shop, "load", lambda: ours)
    monkeypatch.setattr(budget, "spent", spent)
    monkeypatch.setattr(budget, "pause", pause)
    given = settings.load({"STATE_DIR": str(tmp_path), "CONVERSATION_DATABASE_URL": url}, env_file=tmp_path / "none")
    await asyncio.wait_for(budget.run(given, stop), 10)
    assert (measured[1], waited) == (0.25, [budget.RETRY_S, budget.EVERY_S])
