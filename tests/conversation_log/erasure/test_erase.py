"""Erasure reaches every tier and touches nobody else."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import inspect, text

from conversation_log.archive import archiver, parquet_archive
from conversation_log.erasure import erase, erase_media, erase_redis
from conversation_log.ingest import hot_tier
from conversation_log.model import identities
from conversation_log.storage import database
from conversation_log.storage.database import LogUnavailable
from conversation_log.storage.reader import Selection
from handoff.files.store import MediaStore
from hot_store import redis_layout
from tests.conversation_log.conftest import Log

CANARY = "zanzibar-canary-7391"
CUSTOMER, OTHER = "919876543210", "918888888888"


TAG, LOG = redis_layout.tag(7), redis_layout.log_stream(7)


def real_wamid(number: str, tail: str) -> str:
    """A wamid as Meta makes them: the customer's number is inside."""
    return "wamid." + base64.b64encode(b"\x1d\x15\x04\x12" + number.encode() + b"\x15\x02\x00" + tail.encode()).decode()


def fill_redis(client: redis.Redis[Any], turn: Any) -> None:
    """What the other parts keep in Redis, of two customers."""
    for customer, words in ((CUSTOMER, CANARY), (OTHER, "hello")):
        wamid = real_wamid(customer, "in")
        client.set(redis_layout.alias(customer), customer)
        client.set(redis_layout.alias(f"IN.{customer}"), customer)
        client.hset(redis_layout.profile(customer), mapping={"wa_id": customer, f"id:IN.{customer}": 1})
        client.rpush(f"{TAG}:tracker:{customer}", json.dumps([{"event": "user", "text": words}]))
        client.hset(f"{TAG}:tracker:{customer}:base", mapping={"at": 0, "pre": words})
        client.set(f"{TAG}:address:{customer}", json.dumps({"wa_id": customer}))
        client.set(f"{TAG}:seen:{wamid}", 1)
        client.set(f"wa:settled:{wamid}:1", "wamid.x")
        entry = json.dumps({"kind": "message", "customer": customer, "id": wamid, "payload": {"text": words}})
        client.xadd(f"{TAG}:in", {"e": entry})
        client.xadd(f"{TAG}:out", {"e": entry})
        client.xadd(f"{TAG}:dead", {"j": json.dumps({"entry": entry, "reason": "x"})})
        client.xadd(LOG, {"j": json.dumps(turn(wamid + "late", text=words, customer=customer))})
        client.xadd(LOG, {"j": json.dumps({"record": "status", "wamid": wamid, "status": "read", "at": time.time()})})
    client.set(f"{TAG}:owner", "17")


@pytest.fixture
def archive(tmp_path: Path) -> parquet_archive.ParquetArchive:
    return parquet_archive.ParquetArchive.at(f"file://{tmp_path}/archive")


def fill_everything(log: Any, turn: Any, sent: Any, archive: parquet_archive.ParquetArchive, noon: float) -> None:
    for customer, words in ((CUSTOMER, CANARY), (OTHER, "hello")):
        for day in (0, 95):
            at = noon + day * 86400
            log.put(turn(real_wamid(customer, f"d{day}"), text=f"{words} {day}", at=at, customer=customer))
    log.write()
    now = datetime.fromtimestamp(noon, timezone.utc) + timedelta(days=92)
    archiver.run(log.engine, archive, archiver.Retention(), now)
    fill_redis(log.redis, turn)


def run(log: Any, archive: parquet_archive.ParquetArchive, customer: str = f"+{CUSTOMER}") -> erase.Receipt:
    return erase.erase(customer, log.engine, archive, hot_tier.client(log.redis_url), datetime.now(timezone.utc))


def test_customer_is_gone_from_every_tier_and_nobody_else_is(the_log, turn, sent, archive, noon):
    fill_everything(the_log, turn, sent, archive, noon)
    receipt = run(the_log, archive)
    assert receipt.open_ends == []
    assert {tier for tier, _ in receipt.removed} == {"redis", "sql", "archive"}
    assert [record["customer_id"] for record in the_log.read()] == [OTHER]
    assert [record["customer_id"] for record in archive.records(Selection())] == [OTHER]
    left = {key.decode() for key in the_log.redis.scan_iter()}
    assert not any(CUSTOMER in key for key in left)
    theirs = {f"{TAG}:tracker:{OTHER}", f"{TAG}:owner", redis_layout.profile(OTHER), redis_layout.alias(OTHER)}
    assert theirs <= left
    assert [the_log.redis.xlen(stream) for stream in (f"{TAG}:in", f"{TAG}:out", f"{TAG}:dead", LOG)] == [1, 1, 1, 2]
    the_log.write()
    assert [record["customer_id"] for record in the_log.read()] == [OTHER]


def test_customers_files_are_deleted_and_nobody_elses_are(sqlite_log, turn, archive, noon, tmp_path):
    fill_redis(sqlite_log.redis, turn)
    url = (tmp_path / "media").as_uri()
    store = MediaStore.at(url)
    for customer in (CUSTOMER, OTHER):
        store.write(customer, "1", b"a photo")
        store.write(customer, "2", b"another")
    client = hot_tier.client(sqlite_log.redis_url)
    receipt = erase.erase(f"+{CUSTOMER}", sqlite_log.engine, archive, client, datetime.now(timezone.utc), url)
    assert receipt.removed[("media", "files")] == 2
    assert [store.read(CUSTOMER, "1"), store.read(OTHER, "2")] == [None, b"another"]
    with pytest.raises(LogUnavailable, match="MEDIA_URL"):
        erase_media.erase("nonsense://key:secret@host", identities.find(OTHER, sqlite_log.engine, client, archive))


def test_canary_is_in_no_file_afterwards(sqlite_log, turn, sent, archive, noon, tmp_path):
    folder = Path(str(sqlite_log.redis.config_get("dir")["dir"]))
    fill_everything(sqlite_log, turn, sent, archive, noon)
    assert files_with(CANARY, folder, tmp_path)
    run(sqlite_log, archive)
    deadline = time.monotonic() + 10
    while files_with(CANARY, folder, tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)  # Redis removes its old append-only files in the background
    assert files_with(CANARY, folder, tmp_path) == []
    assert files_with(CUSTOMER, folder, tmp_path) == []


@pytest.mark.postgres
def test_canary_is_in_no_table_file_of_postgresql_afterwards(redis_url, postgres_url, turn, sent, archive, noon):
    """Its write-ahead log keeps rows for a while, as the receipt says; tables, indexes and statistics do not."""
    from handoff.storage import tables

    log = Log(redis_url, postgres_url)
    database.migrate(log.engine)
    tables.metadata.create_all(log.engine)
    with log.engine.begin() as connection:
        plant_takeover(connection, 1, CUSTOMER)
        connection.execute(tables.takeovers.update().values(request=CANARY))
    fill_everything(log, turn, sent, archive, noon)
    with log.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
        folder = Path(str(connection.execute(text("SHOW data_directory")).scalar())) / "base"
        connection.execute(text("CHECKPOINT"))
        assert files_with(CANARY, folder)
        receipt = run(log, archive)
        connection.execute(text("CHECKPOINT"))
    assert any("PostgreSQL's tables were rewritten" in note for note in receipt.notes)
    assert files_with(CANARY, folder) == []
    assert files_with(CUSTOMER, folder) == []
    log.engine.dispose()


def files_with(words: str, *folders: Path) -> list[Path]:
    return [
        path for folder in folders for path in folder.rglob("*")
        if path.is_file() and words.encode() in path.read_bytes()
    ]  # fmt: skip


@pytest.mark.every_database
def test_takeovers_of_the_customer_are_erased_and_others_kept(the_log, turn, sent, archive, noon):
    from handoff.storage import tables

    tables.metadata.create_all(the_log.engine)
    with the_log.engine.begin() as connection:
        for number, customer in ((1, CUSTOMER), (2, OTHER)):
            plant_takeover(connection, number, customer)
    receipt = run(the_log, archive)
    with the_log.engine.connect() as connection:
        for name in inspect(the_log.engine).get_table_names():
            if name.startswith("handoff_"):
                rows = connection.execute(text(f"SELECT * FROM {name}")).all()
                kept_on_purpose = name == "handoff_update_opt_outs"  # hashes of who wants no messages
                assert len(rows) == 2 if kept_on_purpose else len(rows) <= 1, name
                assert CUSTOMER not in str(rows)
        assert connection.execute(text("SELECT count(*) FROM handoff_takeovers")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM handoff_log_comments")).scalar() == 1
    assert any("T1" in note for note in receipt.notes)


def test_a_ticket_of_the_same_number_in_another_helpdesk_stays_and_one_left_behind_goes(sqlite_log, archive):
    from handoff.storage import tables

    tables.metadata.create_all(sqlite_log.engine)
    with sqlite_log.engine.begin() as connection:
        for number, customer in ((1, CUSTOMER), (2, OTHER)):
            plant_takeover(connection, number, customer)
            content = json.dumps({"external_id": f"before{number}", "customer": customer, "note": CANARY})
            before = {"id": number + 10, "external_id": f"before{number}", "status": "open", "content": content}
            connection.execute(tables.log_tickets.insert().values(before))
        connection.execute(tables.takeovers.update().values(ticket_id="T1"))
    run(sqlite_log, archive)
    with sqlite_log.engine.connect() as connection:
        assert connection.execute(text("SELECT customer FROM handoff_takeovers")).scalars().all() == [OTHER]
        kept = connection.execute(text("SELECT external_id FROM handoff_log_tickets ORDER BY id")).scalars().all()
        assert kept == ["e2", "before2"]


def plant_takeover(connection: Any, number: int, customer: str) -> None:
    """A row in every table of the takeovers, filled by the columns' types."""
    from handoff.storage import tables

    known = {
        "id": number, "takeover_id": number, "customer": customer, "external_id": f"e{number}",
        "ticket_id": f"T{number}", "state": "closed",
    }  # fmt: skip
    for table in tables.metadata.sorted_tables:
        values: dict[str, Any] = {}
        for column in table.columns:
            if column.name in known:
                values[column.key] = known[column.name]
            elif getattr(column.type, "impl", column.type).python_type is str:
                values[column.key] = f"{column.name}{number}"[: getattr(column.type, "length", None) or 20]
            else:
                values[column.key] = number
        if table.name == "handoff_log_comments":
            values["ticket_id"] = number
        connection.execute(table.insert().values(values))


def test_customer_is_found_by_each_of_their_names(sqlite_log, turn, archive, noon):
    client = hot_tier.client(sqlite_log.redis_url)
    client.set(redis_layout.alias("IN.777"), "IN.777")
    client.set(redis_layout.alias(CUSTOMER), "IN.777")
    fields = {"user_id": "IN.777", "wa_id": CUSTOMER, f"id:{CUSTOMER}": 1}
    client.hset(redis_layout.profile("IN.777"), mapping=fields)
    for name in (f"+{CUSTOMER}", CUSTOMER, "IN.777"):
        assert identities.find(name, sqlite_log.engine, client).names >= {f"+{CUSTOMER}", CUSTOMER, "IN.777"}


def test_number_that_went_to_a_stranger_does_not_lead_to_their_other_names(sqlite_log, turn, noon):
    sqlite_log.log(
        turn("wamid.A", customer="IN.1", metadata={"phone": f"+{CUSTOMER}"}),
        turn("wamid.B", at=noon + 9000, customer="IN.2", metadata={"phone": f"+{CUSTOMER}"}),
        turn("wamid.C", at=noon + 99000, customer="IN.2", metadata={"phone": f"+{OTHER}"}),
    )
    assert OTHER not in identities.find("IN.1", sqlite_log.engine, None).names


def test_conversation_that_only_the_archive_links_to_the_customer_is_erased(sqlite_log, turn, archive, noon):
    """The first was had before the phone was known; Redis and the warm tier have forgotten the link."""
    sqlite_log.log(
        turn("wamid.A", customer="IN.777", metadata={"phone": None}),
        turn("wamid.B", at=noon + 9000, customer="IN.777", metadata={"phone": f"+{CUSTOMER}"}),
        turn("wamid.C", at=noon + 9000, customer=OTHER),
    )
    now = datetime.fromtimestamp(noon, timezone.utc) + timedelta(days=92)
    archiver.run(sqlite_log.engine, archive, archiver.Retention(), now)
    receipt = run(sqlite_log, archive)
    assert receipt.removed[("archive", "conversations")] == 2
    assert [record["customer_id"] for record in archive.records(Selection())] == [OTHER]


def test_writers_batch_in_hand_is_waited_for_however_busy_the_log_is(sqlite_log, monkeypatch):
    client = hot_tier.client(sqlite_log.redis_url)
    writer = sqlite_log.new_writer().stream
    writer.hold()
    for number in range(3):
        client.xadd(LOG, {"j": str(number)})
    entries = writer.read(2, 1)
    acknowledged = []

    def pass_time(_: float) -> None:
        if not acknowledged:
            writer.done(entries)
            writer.hold()  # the next one is in hand as soon as the first are stored
        acknowledged.append(True)
        assert len(acknowledged) < 3, "waits for what came later"

    monkeypatch.setattr(erase_redis.time, "sleep", pass_time)
    erase_redis.wait_for_writer(client)
    assert acknowledged


def test_redis_snapshot_is_written_anew_beside_its_append_only_file(sqlite_log):
    client = hot_tier.client(sqlite_log.redis_url)
    client.config_set("save", "3600 1")
    try:
        notes = erase_redis.rewrite_files(client)
    finally:
        client.config_set("save", "")
    assert notes == ["Redis' append-only file was rewritten.", "Redis' snapshot was rewritten."]


def test_erasing_somebody_unknown_says_so(sqlite_log, archive):
    receipt = run(sqlite_log, archive, "+4915112345678")
    assert receipt.lines()[0].startswith("Nothing was found of +49•••••••5678")


def test_receipt_does_not_name_the_customer(sqlite_log, turn, sent, archive, noon):
    fill_everything(sqlite_log, turn, sent, archive, noon)
    text_of_receipt = "\n".join(run(sqlite_log, archive).lines())
    assert CUSTOMER not in text_of_receipt
    assert "wa:tracker:*" in text_of_receipt


def test_number_in_another_customers_message_leaves_that_message_alone(sqlite_log, turn, archive):
    entry = {"kind": "message", "customer": OTHER, "id": "wamid.Z", "payload": {"text": f"call {CUSTOMER}"}}
    sqlite_log.redis.xadd(f"{TAG}:in", {"e": json.dumps(entry)})
    sqlite_log.redis.set(redis_layout.profile(f"{CUSTOMER}.2"), "the next owner of the number")
    run(sqlite_log, archive)
    assert sqlite_log.redis.xlen(f"{TAG}:in") == 1
    assert sqlite_log.redis.exists(redis_layout.profile(f"{CUSTOMER}.2"))


def test_streams_are_rewritten_with_their_ids(sqlite_log):
    client = hot_tier.client(sqlite_log.redis_url)
    ids = [client.xadd(LOG, {"j": f"{number}"}) for number in range(5)]
    client.xdel(LOG, ids[0], ids[4])
    erase_redis.rewrite_streams(client)
    assert [entry for entry, _ in client.xrange(LOG)] == ids[1:4]
    assert client.xinfo_stream(LOG)["last-generated-id"] == ids[4]
