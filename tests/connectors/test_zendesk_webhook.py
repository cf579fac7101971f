"""Agents' webhooks over real HTTP: only what Zendesk signed counts, and it counts once, in whatever order it comes."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sanic import Sanic
from sqlalchemy import select

from connectors.whatsapp.webhook.protocol_guard import MAX_BODY_BYTES
from connectors.zendesk import ZendeskChannel
from handoff.configuration import load_configuration
from handoff.files.copies import copies_of
from handoff.files.links import media_signature
from handoff.storage.database import Database
from handoff.storage.queries import add_media
from handoff.storage.tables import deliveries, media, takeovers
from handoff.takeover.state_machine import Request, open_takeover
from settings import load
from tests.conftest import free_port
from tests.examples import examples
from tests.handoff.stand_ins import serving
from tests.loops import listening, on_a_thread
from twin.helpdesk.tickets import timestamp
from twin.helpdesk.webhooks import sign

SECRET = "webhook-secret"
CUSTOMER = "919876543210"
JPEG = b"\xff\xd8\xff\xe0 a photo"


class Server:
    """A real Sanic server with the channel, in a thread of its own."""

    def __init__(self, db: Database) -> None:
        self.port, self.db = free_port(), db
        self.app = Sanic(f"zendesk_{self.port}")

        async def never(_: Any) -> None:
            raise AssertionError("the webhook must not start turns")

        self.channel = ZendeskChannel(load({"ZENDESK_WEBHOOK_SECRET": SECRET}), db)
        self.app.blueprint(self.channel.blueprint(never), url_prefix="/webhooks/zendesk")

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[Server]:
        async with listening(self.app, self.port):
            yield self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/zendesk"

    def post(self, body: Any, secret: str = SECRET, at: str | None = None, **headers: str) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = timestamp() if at is None else at
        sent = {"X-Zendesk-Webhook-Signature": sign(secret, at, raw), "X-Zendesk-Webhook-Signature-Timestamp": at}
        given = {name: value for name, value in {**sent, **headers}.items() if value}
        return requests.post(f"{self.url}/webhook", data=raw, headers=given, timeout=10).status_code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('zendesk')}/test.db")
    with on_a_thread(Server(db).serve) as running:
        yield running


@pytest.fixture
def ticket(server: Server) -> dict[str, str]:
    """A waiting customer's ticket: its id in Zendesk and ours."""
    customer = uuid.uuid4().hex
    opened = open_takeover(server.db, Request(customer, f"wamid.{customer}", "complaint", "HIGH", time.time()))
    number = str(10_000_000 + opened.takeover_id)
    with server.db.write() as connection:
        this = takeovers.update().where(takeovers.c.id == opened.takeover_id)
        connection.execute(this.values(ticket_id=number, backend="zendesk"))
        row = connection.execute(select(takeovers).where(takeovers.c.id == opened.takeover_id)).one()
    return {"id": number, "external_id": row.external_id, "customer": customer}


def event(
    kind: str, ticket: dict[str, str], said: dict[str, Any], status: str = "OPEN", at: float | None = None
) -> dict[str, Any]:
    return {
        "type": f"zen:event-type:{kind}", "id": str(uuid.uuid4()), "time": timestamp(at),
        "subject": f"zen:ticket:{ticket['id']}", "event": said,
        "detail": {"id": ticket["id"], "external_id": ticket["external_id"], "status": status},
    }  # fmt: skip


def comment(number: int, body: str = "Hello", public: Any = True, staff: Any = True) -> dict[str, Any]:
    return {"comment": {"id": str(number), "body": body, "is_public": public, "author": {"id": "1", "is_staff": staff}}}


def heard(server: Server, customer: str) -> list[str]:
    """What is queued for the customer, in order."""
    found = select(deliveries.c.payload).where(deliveries.c.customer == customer).order_by(deliveries.c.id)
    with server.db.read() as connection:
        return [json.loads(payload)["text"] for payload in connection.execute(found).scalars()]


def row_of(server: Server, ticket: dict[str, str]) -> Any:
    with server.db.read() as connection:
        return connection.execute(select(takeovers).where(takeovers.c.customer == ticket["customer"])).one()


def test_an_agents_public_comment_is_queued_for_the_customer(server: Server, ticket: dict[str, str]) -> None:
    words = 'Hello "Asha",\nyour parcel: [#10234] ✨'
    assert server.post(event("ticket.comment_added", ticket, comment(1, words))) == 200
    assert heard(server, ticket["customer"]) == [words]
    assert row_of(server, ticket).state == "agent"


@pytest.mark.parametrize("said", [
    comment(2, public=False), comment(2, staff=False), comment(2, public="false"), comment(2, staff=None),
    comment(2, body="  "), {"comment": {"id": "2", "body": "x", "is_public": True}}, {"comment": None}, {},
])  # fmt: skip
def test_private_notes_and_customers_own_words_never_come_back(
    server: Server, ticket: dict[str, str], said: dict[str, Any]
) -> None:
    assert server.post(event("ticket.comment_added", ticket, said)) == 200
    assert heard(server, ticket["customer"]) == []
    assert row_of(server, ticket).state == "waiting"


def test_a_comment_that_comes_three_times_is_queued_once(server: Server, ticket: dict[str, str]) -> None:
    number = int(ticket["id"]) * 10
    for _ in range(3):
        assert server.post(event("ticket.comment_added", ticket, comment(number))) == 200
    assert heard(server, ticket["customer"]) == ["Hello"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_order_comment_and_solved_come_in_both_count(
    server: Server, ticket: dict[str, str], order: tuple[int, ...]
) -> None:
    now, number = time.time(), int(ticket["id"]) * 10
    events = [
        event("ticket.comment_added", ticket, comment(number, "first"), at=now),
        event("ticket.comment_added", ticket, comment(number + 1, "second"), "SOLVED", at=now + 1),
        event("ticket.status_changed", ticket, {"current": "SOLVED", "previous": "OPEN"}, "SOLVED", at=now + 1),
    ]
    for index in order:
        assert server.post(events[index]) == 200
    assert sorted(heard(server, ticket["customer"])) == ["first", "second"]
    assert row_of(server, ticket).ending == "solved"


def test_a_reopened_ticket_is_not_ended_by_an_older_solved(server: Server, ticket: dict[str, str]) -> None:
    now = time.time()
    server.post(event("ticket.status_changed", ticket, {"current": "OPEN"}, at=now + 5))
    server.post(event("ticket.status_changed", ticket, {"current": "SOLVED"}, at=now))
    assert row_of(server, ticket).ending is None


@pytest.mark.parametrize("status", ["SOLVED", "CLOSED", "Solved", "closed"])
def test_solved_and_closed_end_the_takeover_after_a_last_poll(
    server: Server, ticket: dict[str, str], status: str
) -> None:
    server.post(event("ticket.status_changed", ticket, {"current": status}))
    row = row_of(server, ticket)
    assert row.ending == status.lower()
    assert row.next_poll_at <= time.time()


@pytest.mark.parametrize(("added", "ending"), [
    (["back_to_assistant", "vip"], "back"), (["vip"], None), ([], None), (None, None), ("back_to_assistant", None),
    ({"back_to_assistant": 1}, None),
])  # fmt: skip
def test_the_tag_of_an_agent_who_hands_back_ends_the_takeover_after_a_last_poll(
    server: Server, ticket: dict[str, str], added: Any, ending: str | None
) -> None:
    at = time.time()
    assert server.post(event("ticket.tags_changed", ticket, {"tags_added": added, "tags_removed": []}, at=at)) == 200
    server.post(event("ticket.status_changed", ticket, {"current": "OPEN"}, at=at))
    assert row_of(server, ticket).ending == ending


def test_tags_that_an_event_does_not_tell_apart_are_those_of_the_ticket(server: Server, ticket: dict[str, str]) -> None:
    changed = event("ticket.tags_changed", ticket, {}, at=time.time())
    changed["detail"]["tags"] = ["vip", "back_to_assistant"]
    server.post(changed)
    assert row_of(server, ticket).ending == "back"


def test_an_event_is_matched_by_our_own_id_before_the_tickets_is_known(server: Server, ticket: dict[str, str]) -> None:
    unknown = {**ticket, "id": "77"}
    assert server.post(event("ticket.comment_added", unknown, comment(int(ticket["id"]) * 10 + 5))) == 200
    assert heard(server, ticket["customer"]) == ["Hello"]


def test_a_trigger_with_only_ids_has_the_ticket_read(server: Server, ticket: dict[str, str]) -> None:
    body = {"ticket_id": ticket["id"], "external_id": ticket["external_id"], "status": "Open"}
    assert server.post(body) == 200
    assert row_of(server, ticket).next_poll_at <= time.time()


def test_a_trigger_with_a_solved_status_ends_the_takeover(server: Server, ticket: dict[str, str]) -> None:
    server.post({"ticket_id": int(ticket["id"]), "external_id": "", "status": "Solved"})
    assert row_of(server, ticket).ending == "solved"


@pytest.mark.parametrize("headers", [
    {"X-Zendesk-Webhook-Signature": ""}, {"X-Zendesk-Webhook-Signature-Timestamp": ""},
    {"X-Zendesk-Webhook-Signature": "AAAA"}, {"X-Zendesk-Webhook-Signature-Timestamp": "2026-01-01T00:00:00Z"},
])  # fmt: skip
def test_unsigned_or_wrongly_signed_is_refused(
    server: Server, ticket: dict[str, str], headers: dict[str, str]
) -> None:
    assert server.post(event("ticket.comment_added", ticket, comment(3)), **headers) == 401
    assert server.post(event("ticket.comment_added", ticket, comment(3)), secret="guess") == 401
    assert heard(server, ticket["customer"]) == []


@pytest.mark.parametrize(("age", "status"), [(0, 200), (280, 200), (-280, 200), (320, 401), (-320, 401)])
def test_a_signature_is_good_for_five_minutes(server: Server, age: float, status: int) -> None:
    assert server.post({}, at=timestamp(time.time() - age)) == status


@pytest.mark.parametrize("at", ["", "yesterday", "2026-13-45T00:00:00Z", "99999999999999999999"])
def test_a_timestamp_that_is_none_is_refused(server: Server, at: str) -> None:
    assert server.post({}, at=at) == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"[" * 50_000])
def test_a_signed_body_that_is_no_object_is_a_bad_request(server: Server, body: bytes) -> None:
    assert server.post(body) == 400


def test_a_huge_body_is_refused(server: Server) -> None:
    assert server.post(b"x" * (MAX_BODY_BYTES + 1)) == 413


WORDS = ("1", "SOLVED", "zen:event-type:ticket.comment_added", "zen:event-type:ticket.status_changed")
NAMES = ("type", "detail", "event", "comment", "id", "ticket_id", "status", "current", "author", "time")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.slow
@given(body=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_signed_object_is_answered_with_an_error(server: Server, body: dict[str, Any]) -> None:
    assert server.post(body) == 200


def test_a_ticket_of_somebody_else_is_taken_and_forgotten(server: Server) -> None:
    assert server.post(event("ticket.comment_added", {"id": "1", "external_id": "theirs"}, comment(9))) == 200


def test_without_a_secret_everything_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.channel, "_configured", load({}))
    assert server.post({}, secret="") == 401


def test_a_database_that_is_away_makes_zendesk_come_again(
    server: Server, ticket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.channel, "_db", Database("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    assert server.post(event("ticket.comment_added", ticket, comment(4))) == 503


def test_an_agent_opens_a_customers_photo_by_its_link_and_no_other(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def address(request: web.Request) -> web.Response:
        return web.json_response({"url": f"http://{request.host}/file"})

    async def file(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer token"
        return web.Response(body=JPEG, content_type="image/jpeg")

    def graph() -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/file", file), web.get("/{media_id}", address)])
        return app

    with serving(graph) as url:
        values = {"WHATSAPP_GRAPH_URL": url, "WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_PHONE_NUMBER_ID": "1"}
        monkeypatch.setattr(server.channel, "_configured", load({"WHATSAPP_APP_SECRET": "app", **values}))
        good = requests.get(f"{server.url}/media/123/{media_signature('123', 'app')}", timeout=10)
        bad = requests.get(f"{server.url}/media/124/{media_signature('123', 'app')}", timeout=10)
    assert (good.status_code, good.content, good.headers["Content-Type"]) == (200, JPEG, "image/jpeg")
    assert bad.status_code == 404


def test_a_link_shows_the_copy_once_whatsapp_has_deleted_the_file_and_nothing_once_the_customer_is_erased(
    server: Server, ticket: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, values = row_of(server, ticket), {"MEDIA_URL": tmp_path.as_uri(), "WHATSAPP_APP_SECRET": "app"}
    monkeypatch.setattr(server.channel, "_configured", load({**values, "WHATSAPP_GRAPH_URL": "http://127.0.0.1:1/v25.0"}))
    monkeypatch.setattr(server.channel, "_kept", None)
    media_id = f"5{ticket['id']}"
    link = f"{server.url}/media/{media_id}/{media_signature(media_id, 'app')}"
    assert requests.get(link, timeout=10).status_code == 404  # no ticket links to it
    with server.db.write() as connection:
        add_media(connection, row, [(media_id, "torn parcel.jpg")], time.time())
    copies = copies_of(load(values), load_configuration(), server.db)
    (due,) = [one for one in copies.due() if one.media_id == media_id]
    assert copies.keep(due, JPEG) == "kept"
    shown = requests.get(link, timeout=10)
    assert (shown.content, shown.headers["Content-Type"]) == (JPEG, "image/jpeg")
    assert "torn%20parcel.jpg" in shown.headers["Content-Disposition"]
    with server.db.write() as connection:
        connection.execute(media.delete().where(media.c.media_id == media_id))
    assert requests.get(link, timeout=10).status_code == 404
