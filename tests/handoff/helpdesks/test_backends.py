"""One suite for every helpdesk: what the dispatcher may rely on, over real HTTP, on good days and bad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handoff.helpdesks.chatwoot import Chatwoot
from handoff.helpdesks.freshdesk import Freshdesk
from handoff.helpdesks.hubspot import HubSpot
from handoff.helpdesks.interface import NotAllowed, Refused, RetryLater
from handoff.helpdesks.zendesk import Zendesk
from handoff.helpdesks.zendesk_login import Fixed
from tests.handoff.helpdesks.backend_samples import BACKENDS, DRAFT, NOTE, WORDS, Backend


@pytest.fixture(params=["zendesk", "freshdesk", "hubspot", "chatwoot"])
def http_backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Backend]:
    yield from BACKENDS[request.param](tmp_path)


def test_a_ticket_is_opened_and_found_open(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    assert backend.tickets() == 1
    assert backend.helpdesk.read_ticket(ticket).status == "open"


def test_asked_twice_for_the_same_ticket_there_is_one(backend: Backend) -> None:
    first = backend.helpdesk.open_ticket(DRAFT, False)
    again = backend.helpdesk.open_ticket(DRAFT, True)
    assert again.id == first.id
    assert backend.tickets() == 1


def test_nothing_of_ours_reads_as_an_agents_public_comment(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.helpdesk.add_comment(ticket, WORDS, False)
    backend.helpdesk.add_comment(ticket, NOTE, False)
    view = backend.helpdesk.read_ticket(ticket)
    assert [comment for comment in view.comments if comment.public and comment.by_staff] == []


def test_a_comment_said_again_stands_once(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    first = backend.helpdesk.add_comment(ticket, WORDS, False)
    assert backend.helpdesk.add_comment(ticket, WORDS, True) == first
    assert sum(WORDS.marker in text for text in backend.texts()) == 1


def test_a_comment_that_never_arrived_is_added_on_the_second_try(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.helpdesk.add_comment(ticket, NOTE, True)
    assert sum(NOTE.marker in text for text in backend.texts()) == 1


def test_a_solved_ticket_reads_as_solved(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.solve(ticket.id)
    assert backend.helpdesk.read_ticket(ticket).status == "solved"


def test_an_agents_public_reply_is_seen_and_a_private_note_is_known_as_one(backend: Backend) -> None:
    ticket = backend.helpdesk.open_ticket(DRAFT, False)
    backend.reply(ticket.id, "Hello, Meera here", True)
    backend.reply(ticket.id, "suspicious account", False)
    seen = {c.text: c.public for c in backend.helpdesk.read_ticket(ticket).comments if c.by_staff}
    assert seen["Hello, Meera here"] is True
    assert seen["suspicious account"] is False


def test_only_what_agents_say_to_the_customer_is_made_words_of(http_backend: Backend) -> None:
    ticket = http_backend.helpdesk.open_ticket(DRAFT, False)
    for comment in (WORDS, NOTE):  # a note quotes the customer, too
        body = f"**as written** by them\n\n({comment.marker})"
        http_backend.helpdesk.add_comment(ticket, replace(comment, body=body), False)
    seen = [seen.text for seen in http_backend.helpdesk.read_ticket(ticket).comments]
    assert sum("**as written**" in text for text in seen) == 2


def test_a_lost_answer_to_opening_leaves_one_ticket(http_backend: Backend) -> None:
    http_backend.fail("lost")
    with pytest.raises(RetryLater):
        http_backend.helpdesk.open_ticket(DRAFT, False)
    assert http_backend.tickets() == 1
    http_backend.helpdesk.open_ticket(DRAFT, True)
    assert http_backend.tickets() == 1


def test_a_lost_answer_to_a_comment_leaves_one_comment(http_backend: Backend) -> None:
    ticket = http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.fail("lost")
    with pytest.raises(RetryLater):
        http_backend.helpdesk.add_comment(ticket, WORDS, False)
    http_backend.helpdesk.add_comment(ticket, WORDS, True)
    assert sum(WORDS.marker in text for text in http_backend.texts()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 409, 408])
def test_trouble_that_passes_is_to_be_tried_later(http_backend: Backend, status: int) -> None:
    http_backend.fail("error", status)
    with pytest.raises(RetryLater):
        http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.helpdesk.open_ticket(DRAFT, True)
    assert http_backend.tickets() == 1


@pytest.mark.parametrize(("written", "seconds"), [("7", 7.0), ("1.5", 1.5), ("soon", None), (None, None)])
def test_too_many_requests_say_how_long_to_wait(http_backend: Backend, written: str | None, seconds: float) -> None:
    http_backend.fail("error", 429, {"Retry-After": written} if written else None)
    with pytest.raises(RetryLater) as caught:
        http_backend.helpdesk.open_ticket(DRAFT, False)
    assert caught.value.after_s == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_are_an_operators_business(http_backend: Backend, status: int) -> None:
    http_backend.fail("error", status)
    with pytest.raises(NotAllowed):
        http_backend.helpdesk.open_ticket(DRAFT, False)


def test_a_comment_on_a_ticket_that_is_gone_is_refused(http_backend: Backend) -> None:
    ticket = http_backend.helpdesk.open_ticket(DRAFT, False)
    http_backend.fail("error", 422)
    http_backend.fail("error", 422)  # Zendesk is asked for a note of ours, too
    with pytest.raises(Refused):
        http_backend.helpdesk.add_comment(ticket, WORDS, False)


def test_nobody_at_the_other_end_is_to_be_tried_later() -> None:
    nobody = "http://127.0.0.1:9"
    for helpdesk in (Zendesk(nobody, Fixed("")), Freshdesk(nobody, "key"), HubSpot(nobody, "token"),
                     Chatwoot(nobody, "1", "2", "token")):  # fmt: skip
        with pytest.raises(RetryLater):
            helpdesk.open_ticket(DRAFT, False)
