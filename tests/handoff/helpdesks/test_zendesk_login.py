"""Credentials that expire, are refused, or end in 2027."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import settings
from handoff.helpdesks.interface import NotAllowed, RetryLater
from handoff.helpdesks.zendesk import Zendesk
from handoff.jobs.dispatcher import NOT_ALLOWED_WAIT_S, Dispatcher
from handoff.jobs.metrics import Metrics
from handoff.storage.database import Database
from handoff.takeover.state_machine import open_takeover
from settings import SettingsError
from tests.handoff.helpdesks.backend_samples import DRAFT, WORDS
from tests.handoff.samples import NOW, always_open, request
from tests.handoff.stand_ins import serving
from twin.helpdesk import api as twin_helpdesk

CLIENT = {"ZENDESK_OAUTH_CLIENT_ID": "assistant", "ZENDESK_OAUTH_CLIENT_SECRET": "quiet"}


@pytest.fixture
def there() -> twin_helpdesk.Helpdesk:
    return twin_helpdesk.Helpdesk(token="first", first_id=1, client=("assistant", "quiet"))


@pytest.fixture
def url(there: twin_helpdesk.Helpdesk) -> Iterator[str]:
    with serving(lambda: twin_helpdesk.create_app(there)) as address:
        yield address


def zendesk(url: str, **values: str) -> Zendesk:
    configured = settings.load({"ZENDESK_URL": url, settings.COMPLETE: "1"})
    return Zendesk.from_settings(settings.Settings({**configured.values, **values}))


def test_an_oauth_client_fetches_its_own_token(url: str) -> None:
    assert zendesk(url, **CLIENT).open_ticket(DRAFT, False).id == "1"


def test_a_token_that_expires_is_replaced_and_the_call_is_made_once(there: twin_helpdesk.Helpdesk, url: str) -> None:
    desk = zendesk(url, **CLIENT)
    ticket = desk.open_ticket(DRAFT, False)
    there.revoke_tokens()
    desk.add_comment(ticket, WORDS, False)
    assert sum(WORDS.marker in comment["body"] for comment in there.tickets.tickets[1].comments) == 1


def test_a_given_token_is_used_as_long_as_it_is_accepted(there: twin_helpdesk.Helpdesk, url: str) -> None:
    desk = zendesk(url, ZENDESK_OAUTH_TOKEN="first", **CLIENT)
    ticket = desk.open_ticket(DRAFT, False)
    assert not there._issued
    there.revoke_tokens()
    assert desk.read_ticket(ticket).status == "open"


def test_threads_whose_token_expires_together_all_go_on(there: twin_helpdesk.Helpdesk, url: str) -> None:
    desk = zendesk(url, **CLIENT)
    ticket = desk.open_ticket(DRAFT, False)
    there.revoke_tokens()
    with ThreadPoolExecutor(6) as pool:
        assert [view.status for view in pool.map(desk.read_ticket, [ticket] * 12)] == ["open"] * 12


def test_a_client_that_zendesk_does_not_know_is_an_operators_business(url: str) -> None:
    with pytest.raises(NotAllowed):
        zendesk(url, **(CLIENT | {"ZENDESK_OAUTH_CLIENT_SECRET": "wrong"})).open_ticket(DRAFT, False)


def test_a_zendesk_that_is_away_while_a_token_is_fetched_is_tried_later() -> None:
    with pytest.raises(RetryLater):
        zendesk("http://127.0.0.1:9", **CLIENT).open_ticket(DRAFT, False)


def test_an_api_token_works_and_warns_of_its_end(url: str, caplog: pytest.LogCaptureFixture) -> None:
    desk = zendesk(url, ZENDESK_EMAIL="bot@example.com", ZENDESK_API_TOKEN="first")
    assert desk.open_ticket(DRAFT, False).id == "1"
    assert "2027-04-30" in caplog.text


def test_oauth_comes_before_an_api_token(url: str, caplog: pytest.LogCaptureFixture) -> None:
    desk = zendesk(url, ZENDESK_OAUTH_TOKEN="first", ZENDESK_EMAIL="bot@example.com", ZENDESK_API_TOKEN="wrong")
    assert desk.open_ticket(DRAFT, False).id == "1"
    assert "2027-04-30" not in caplog.text


def test_without_credentials_the_remedy_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="ZENDESK_OAUTH_CLIENT_ID"):
        zendesk(url)


def test_a_revoked_token_loses_nothing_and_is_reported_until_it_is_replaced(
    there: twin_helpdesk.Helpdesk, url: str, sql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    db, clock = Database(sql_url), [NOW]
    opened = open_takeover(db, request(), now=NOW)

    def worker(token: str) -> Dispatcher:
        return Dispatcher(db, zendesk(url, ZENDESK_OAUTH_TOKEN=token), always_open(), [], "key", lambda: clock[0])

    there.revoke_tokens()
    worker("first").work(opened.takeover_id)
    assert "handoff.helpdesk.not_allowed backend=zendesk" in caplog.text
    assert 'trouble="unauthorized"' in [metric.labels for metric in Metrics(db)() if metric.value == 1]
    replaced: Any = there._token
    clock[0] += NOT_ALLOWED_WAIT_S
    restarted = worker(replaced)
    assert restarted.due() == [opened.takeover_id]
    restarted.work(opened.takeover_id)
    assert len(there.tickets.tickets) == 1
    assert all(metric.value == 0 for metric in Metrics(db)() if metric.name == "assistant_ticket_orders")
    db.close()
