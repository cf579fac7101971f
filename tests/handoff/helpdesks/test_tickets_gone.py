"""A ticket that was closed, merged, deleted or marked as spam: the customer's words reach one that is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import select

from handoff.configuration import HandoffConfiguration
from handoff.helpdesks.interface import Refused
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from handoff.jobs import trouble
from handoff.jobs.dispatcher import Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.storage.database import Database
from handoff.storage.tables import jobs, takeovers, thread_controls
from handoff.takeover.customer_messages import CustomerMessage, customer_said
from handoff.takeover.state_machine import open_takeover
from tests.handoff.helpdesks import backend_samples as backends
from tests.handoff.samples import NOW, always_open
from tests.handoff.stand_ins import serving
from tests.handoff.world_parts import quick_database
from twin.helpdesk import api as twin_helpdesk

CUSTOMER = "919876543210"


class Shop:
    """A takeover with its ticket, and the worker's parts, at a time that only moves when told."""

    def __init__(self, db: Database, helpdesk: Any, request_for: Any) -> None:
        self.db, self.now, self.configuration = db, NOW, always_open()
        self.dispatcher = Dispatcher(db, helpdesk, self.configuration, [], "key", lambda: self.now)
        self.poller = TicketPoller(db, helpdesk, self.configuration, lambda: self.now)
        self.takeover_id = open_takeover(db, request_for(), now=NOW).takeover_id
        self.dispatcher.work(self.takeover_id)

    def customer_says(self, text: str) -> None:
        customer_said(self.db, CUSTOMER, CustomerMessage(f"wamid.{text}", text, self.now), self.configuration, self.now)

    def goes_on(self, seconds: int = 120) -> None:
        for _ in range(max(1, seconds // 20)):
            self.now += min(seconds, 20)
            for number in self.poller.due():
                self.poller.poll(number)
            self.dispatcher.work(self.takeover_id)

    def row(self) -> Any:
        with self.db.read() as connection:
            return connection.execute(select(takeovers)).one()

    def trouble(self) -> str | None:
        """What the only job that waits could not be done for."""
        with self.db.read() as connection:
            return connection.execute(select(jobs.c.trouble).where(jobs.c.state == "pending")).scalar_one()

    def owner(self) -> str:
        with self.db.read() as connection:
            return str(connection.execute(select(thread_controls.c.owner)).scalar_one())


@pytest.fixture
def shop_db(tmp_path: Any) -> Iterator[Database]:
    db = quick_database(f"sqlite:///{tmp_path}/gone.db")
    yield db
    db.close()


@pytest.fixture
def there() -> Iterator[tuple[twin_helpdesk.Helpdesk, str]]:
    helpdesk = twin_helpdesk.Helpdesk(token="secret", first_id=1)
    with serving(lambda: twin_helpdesk.create_app(helpdesk)) as url:
        yield helpdesk, url


def lose(helpdesk: twin_helpdesk.Helpdesk, how: str) -> None:
    """What an agent does to ticket 1; no webhook tells of it."""
    tickets = helpdesk.tickets
    if how == "closed":
        tickets.update(1, {"status": "closed"}, by=501)
    elif how == "merged":
        other = tickets.create({"comment": {"body": "mail"}, "requester_id": 501}, None, "")[0]["ticket"]["id"]
        tickets.merge(1, other)
    elif how == "deleted":
        tickets.deleted.add(1)
    else:
        tickets.mark_as_spam(1)


@pytest.mark.parametrize("after_outage", [False, True])
@pytest.mark.parametrize("how", ["closed", "merged", "deleted", "spam"])
def test_words_to_a_zendesk_ticket_that_is_gone_stand_in_an_open_one_that_names_it(
    shop_db: Database, there: tuple[twin_helpdesk.Helpdesk, str], request_for: Any, how: str, after_outage: bool
) -> None:
    helpdesk, url = there
    shop = Shop(shop_db, Zendesk(url, Fixed("Bearer secret")), request_for)
    shop.customer_says("it is still broken")
    if after_outage:
        helpdesk.faults.append(twin_helpdesk.HelpdeskFault("error", path="/tickets/1", method="PUT", status=503))
        shop.goes_on(10)
        assert shop.trouble() == trouble.UNREACHABLE
    lose(helpdesk, how)
    shop.goes_on()
    ticket = helpdesk.tickets.tickets[int(shop.row().ticket_id)]
    assert ticket.id != 1
    assert ticket.fields["status"] == "new"
    assert "#1" in ticket.comments[0]["body"]
    assert "it is still broken" in ticket.comments[1]["body"]
    assert (ticket.fields["via"]["source"]["rel"] == "follow_up") == (how in ("closed", "merged"))
    assert shop.owner() == "waiting", "a person has the conversation still"
    shop.customer_says("hello?")
    shop.goes_on()
    assert "hello?" in ticket.comments[-1]["body"]


def test_a_suspended_customers_ticket_is_opened_in_our_name_and_their_words_are_never_an_agents(
    shop_db: Database, there: tuple[twin_helpdesk.Helpdesk, str], request_for: Any
) -> None:
    helpdesk, url = there
    user = helpdesk.tickets.upsert_user({"name": "Asha Rao", "external_id": f"whatsapp:{CUSTOMER}"})
    user["suspended"] = True
    shop = Shop(shop_db, Zendesk(url, Fixed("Bearer secret")), request_for)
    shop.customer_says("please look at it")
    shop.goes_on()
    (ticket,) = helpdesk.tickets.tickets.values()
    assert "in the assistant's name" in ticket.comments[0]["body"]
    assert ("The customer wrote:" in ticket.comments[1]["body"], ticket.comments[1]["public"]) == (True, False)
    assert shop.row().opened_without == "requester"


def test_a_ticket_that_is_gone_while_nobody_writes_gives_the_conversation_back(
    shop_db: Database, there: tuple[twin_helpdesk.Helpdesk, str], request_for: Any
) -> None:
    shop = Shop(shop_db, Zendesk(there[1], Fixed("Bearer secret")), request_for)
    lose(there[0], "deleted")
    shop.goes_on(300)
    assert shop.row().return_version is not None
    assert len(there[0].tickets.tickets) == 1


def test_a_ticket_field_that_zendesk_does_not_have_costs_no_ticket_and_is_told(
    shop_db: Database, there: tuple[twin_helpdesk.Helpdesk, str], request_for: Any
) -> None:
    there[0].tickets.refused_fields = {360001}
    shop = Shop(shop_db, Zendesk(there[1], Fixed("Bearer secret"), "360001"), request_for)
    assert there[0].tickets.tickets[1].fields["custom_fields"] == []
    assert shop.row().opened_without == "order_field"


@pytest.mark.parametrize("after_outage", [False, True])
@pytest.mark.parametrize(
    ("backend", "how"),
    [("freshdesk", "closed"), ("freshdesk", "deleted"), ("freshdesk", "spam"), ("freshdesk", "missing"),
     ("hubspot", "missing"), ("hubspot", "merged")],
)  # fmt: skip
def test_words_to_a_ticket_that_is_gone_elsewhere_stand_in_an_open_one(
    shop_db: Database, tmp_path: Any, request_for: Any, configuration: HandoffConfiguration, backend: str, how: str,
    after_outage: bool,
) -> None:
    for behind in backends.BACKENDS[backend](tmp_path):
        desk = behind.extra["there"]
        shop = Shop(shop_db, behind.helpdesk, request_for)
        first = shop.row().ticket_id
        shop.customer_says("it is still broken")
        if after_outage:
            desk.faults.next.append({"kind": "error", "status": 503})
            shop.goes_on(10)
            assert shop.trouble() == trouble.UNREACHABLE
        desk.lose(first, how)
        shop.goes_on()
        assert shop.row().ticket_id != first
        assert shop.row().follows == first
        assert any("it is still broken" in text for text in behind.texts())
        assert any(f"continues ticket #{first}" in text for text in desk.first_notes())


@pytest.mark.parametrize(("backend", "how"), [("freshdesk", "refused"), ("freshdesk", "spam"), ("hubspot", "refused")])
def test_a_customer_whom_a_helpdesk_does_not_take_gets_a_ticket_that_agents_see(
    shop_db: Database, tmp_path: Any, request_for: Any, backend: str, how: str
) -> None:
    for behind in backends.BACKENDS[backend](tmp_path):
        behind.extra["there"].blocked = how
        shop = Shop(shop_db, behind.helpdesk, request_for)
        shop.customer_says("please look at it")
        shop.goes_on()
        ticket = behind.extra["there"].tickets[type(next(iter(behind.extra["there"].tickets)))(shop.row().ticket_id)]
        assert not ticket.get("spam")
        assert shop.row().opened_without.endswith("requester")
        assert any("please look at it" in text for text in behind.texts())
        assert shop.owner() == "waiting", "nobody's own words came back as an agent's"


@pytest.mark.parametrize(
    ("shown", "stopgap"),
    [
        ({"type": "custom_dropdown", "choices": ["Chat", "Mail"]}, "Chat"),
        ({"type": "custom_number"}, 0),
        ({"type": "custom_text"}, "WhatsApp"),
    ],
)
def test_a_field_that_a_freshdesk_shop_made_mandatory_gets_a_stopgap_and_is_told(
    shop_db: Database, tmp_path: Any, request_for: Any, shown: dict[str, Any], stopgap: Any
) -> None:
    for behind in backends.freshdesk_backend(tmp_path):
        desk = behind.extra["there"]
        desk.mandatory = {"cf_channel": shown}
        shop = Shop(shop_db, behind.helpdesk, request_for)
        (ticket,) = desk.tickets.values()
        assert ticket["custom_fields"] == {"cf_channel": stopgap}
        assert shop.row().opened_without == "cf_channel"


@pytest.mark.parametrize(("kind", "accepts", "opened"), [
    ("custom_date", r"\d{4}-\d\d-\d\d", 1), ("custom_regex", r"[A-Z]{3}-\d+", 0),
])  # fmt: skip
def test_a_mandatory_field_is_filled_once_and_never_asked_about_again_and_again(
    tmp_path: Any, kind: str, accepts: str, opened: int
) -> None:
    for behind in backends.freshdesk_backend(tmp_path):
        behind.extra["there"].mandatory = {"cf_channel": {"type": kind, "accepts": accepts}}
        calls = behind.extra["there"].faults.calls
        try:
            behind.helpdesk.open_ticket(backends.DRAFT, False)
        except Refused:
            assert opened == 0
        assert behind.tickets() == opened
        assert len(calls) < 12


def test_the_stand_in_refuses_what_zendesk_refuses_in_its_words(there: tuple[twin_helpdesk.Helpdesk, str]) -> None:
    base, login = there[1], {"Authorization": "Bearer secret"}

    def call(method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{base}{path}", json=body, headers=login, timeout=10)

    def opened(**values: Any) -> requests.Response:
        return call("POST", "/api/v2/tickets", {"ticket": {"comment": {"body": "x"}, **values}})

    user = call("POST", "/api/v2/users/create_or_update", {"user": {"name": "Ravi"}}).json()["user"]["id"]
    first, second = (opened(requester_id=user).json()["ticket"]["id"] for _ in range(2))
    assert opened(via_followup_source_id=first).status_code == 422, "only a closed ticket is followed up"
    assert call("POST", f"/desk/tickets/{first}/merge", {"into": second}).status_code == 204
    refused = call("PUT", f"/api/v2/tickets/{first}", {"ticket": {"comment": {"body": "y"}}})
    assert refused.status_code == 422
    assert "closed prevents" in refused.json()["details"]["status"][0]["description"]
    assert opened(via_followup_source_id=first).json()["ticket"]["via"]["source"]["from"] == {"ticket_id": first}
    assert call("POST", f"/desk/tickets/{second}/spam").status_code == 204
    assert call("GET", f"/api/v2/tickets/{second}").status_code == 404
    suspended = opened(requester_id=user)
    assert (suspended.status_code, suspended.json()["details"]["requester"][0]["error"]) == (422, "UserSuspended")
    call("POST", f"/desk/users/{user}", {"suspended": False})
    assert opened(requester_id=user).status_code == 201
    call("POST", "/desk/fields", {"refused": [7]})
    assert opened(custom_fields=[{"id": 7, "value": "1"}]).status_code == 422
