"""One suite for every passage store: the file, a real PostgreSQL with pgvector, Pinecone over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from actions.knowledge.pages.files import KnowledgeError
from actions.knowledge.retrieval import retriever as retrieving
from actions.knowledge.retrieval.embedding import Vectors
from actions.knowledge.retrieval.retriever import Earlier, Retriever
from actions.knowledge.stores.embedded import EmbeddedStore
from actions.knowledge.stores.interface import Passage, PassageStore, StoreAway
from actions.knowledge.stores.pgvector import PgVectorStore
from actions.knowledge.stores.pinecone import AT_ONCE, MAX_TEXT, PineconeStore
from actions.knowledge.stores.remembering import RememberingEmbedder, chosen_store
from settings import load
from tests.actions.knowledge.conftest import CountingE5

Open = Callable[[str], PassageStore]


class PineconeStandIn:
    """The data plane of one index, with the limits of Pinecone's. `away` answers instead."""

    def __init__(self) -> None:
        self.spaces: dict[str, dict[str, dict[str, Any]]] = {}
        self.away: Callable[[httpx.Request], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away is not None:
            return self.away(request)
        if request.headers.get("Api-Key") != "key" or not request.headers.get("X-Pinecone-API-Version"):
            return httpx.Response(401)
        query = request.url.params
        body = json.loads(request.content) if request.content else {}
        space = self.spaces.setdefault(str(query.get("namespace") or body.get("namespace")), {})
        return httpx.Response(200, json=getattr(self, request.url.path.split("/")[-1])(space, query, body))

    def fetch(self, space: dict[str, Any], query: httpx.QueryParams, _: Any) -> dict[str, Any]:
        assert 0 < len(query.get_list("ids")) <= 100
        return {"vectors": {name: space[name] for name in query.get_list("ids") if name in space}}

    def upsert(self, space: dict[str, Any], _: Any, body: dict[str, Any]) -> dict[str, Any]:
        assert 0 < len(body["vectors"]) <= 1000
        assert all(len(one["metadata"]["text"].encode()) < 40_000 for one in body["vectors"])
        space |= {one["id"]: one for one in body["vectors"]}
        return {"upsertedCount": len(body["vectors"])}

    def delete(self, space: dict[str, Any], _: Any, body: dict[str, Any]) -> dict[str, Any]:
        for name in body["ids"]:
            space.pop(name, None)
        return {}

    def list(self, space: dict[str, Any], query: httpx.QueryParams, _: Any) -> dict[str, Any]:
        names, start = sorted(space), int(query.get("paginationToken", 0))
        end = start + int(query["limit"])
        page = {"next": str(end)} if end < len(names) else None
        return {"vectors": [{"id": name} for name in names[start:end]], **({"pagination": page} if page else {})}

    def query(self, space: dict[str, Any], _: Any, body: dict[str, Any]) -> dict[str, Any]:
        assert body["filter"] == {"section": {"$ne": ""}}
        placed = [one for one in space.values() if one["metadata"]["section"]]
        placed.sort(key=lambda one: -float(np.dot(one["values"], body["vector"])))
        return {"matches": [{"id": one["id"], "metadata": one["metadata"]} for one in placed[: body["topK"]]]}


@pytest.fixture
def pinecone() -> PineconeStandIn:
    return PineconeStandIn()


@pytest.fixture(params=["embedded", pytest.param("pgvector", marks=pytest.mark.postgres), "pinecone"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, pinecone: PineconeStandIn) -> Iterator[Open]:
    """Opens the store of a shop, as another process would."""
    if request.param == "embedded":
        yield lambda shop: EmbeddedStore(tmp_path / f"{shop}.npz", "e5")
    elif request.param == "pinecone":
        transport = httpx.MockTransport(pinecone)
        yield lambda shop: PineconeStore("https://index.example", "key", shop, "e5", transport)
    else:
        url = request.getfixturevalue("pgvector_url")
        test = f"{tmp_path.name}-{tmp_path.parent.name}"
        yield lambda shop: PgVectorStore(url, f"{test}-{shop}", "e5")


def passage(number: int, section: str = "", text: str = "words") -> Passage:
    vector = np.zeros(4, np.float32)
    vector[:2] = np.cos(number / 100), np.sin(number / 100)
    return Passage(number.to_bytes(16, "big"), section, text, vector)


def test_what_was_put_is_known_to_others_and_nothing_else_is(opened: Open) -> None:
    opened("oak").put([passage(1, "a#b", "your money's \"back\" % 👜 \\ :x"), passage(2), passage(2)])
    keys = [passage(number).key for number in (1, 2, 3)]
    found = opened("oak").known(keys)
    assert found.keys() == set(keys[:2])
    assert found[keys[0]] == pytest.approx(passage(1).vector, abs=0.01)
    assert opened("fen").known(keys) == {}
    assert opened("oak").known([]) == {}


def test_more_than_fits_into_a_request_is_kept_found_and_forgotten(opened: Open) -> None:
    many = [passage(number, f"p#{number // 5}", "x" * (2 * MAX_TEXT)) for number in range(2 * AT_ONCE + 30)]
    opened("oak").put(many)
    store = opened("oak")
    assert len(store.known([one.key for one in many])) == len(many)
    assert store.forget_others([many[0].key, many[7].key, b"another".ljust(16)]) == len(many) - 2
    assert store.known([one.key for one in many]).keys() == {many[0].key, many[7].key}
    assert store.forget_others([]) == 2


def test_the_nearest_sections_come_first_and_each_once(opened: Open) -> None:
    opened("oak").put([passage(number, f"p#{number // 10}") for number in range(100)])
    opened("oak").put([passage(1000 + number) for number in range(5)])
    assert opened("oak").nearest(passage(45).vector, 3)[0] == "p#4"
    assert set(opened("oak").nearest(passage(45).vector, 3)) == {"p#3", "p#4", "p#5"}
    assert len(opened("oak").nearest(passage(45).vector, 50)) == 10
    assert opened("fen").nearest(passage(45).vector, 3) == []


def test_a_text_that_moves_to_another_section_is_found_there(opened: Open) -> None:
    opened("oak").put([passage(1, "old#one")])
    opened("oak").put([passage(1, "new#one")])
    assert opened("oak").nearest(passage(1).vector, 3) == ["new#one"]


@pytest.mark.slow
def test_pages_are_embedded_once_whoever_comes_and_forgotten_when_they_change(opened: Open, pages: Path) -> None:
    first, second = CountingE5(), CountingE5()
    asked = "how many days are there to return clothes"
    found = Retriever(pages, first, store=opened("oak"), wait=True).find(asked)
    other = Retriever(pages, second, store=opened("oak"), wait=True)
    assert other.find(asked).best == found.best
    assert second.embedded == [asked], "no page, and nothing that a customer asked is in the store"
    (pages / "exceptions.md").unlink()
    assert other.find(asked).best == found.best
    third = opened("oak")
    assert set(third.nearest(first.embed([asked], "query")[0], 9)) == {"return_window#How many days there are"}


@pytest.mark.slow
def test_of_very_many_sections_only_the_nearest_are_weighed(
    opened: Open, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = "\n".join(f"## About the river {n}\nRiver number {n} is {n} miles long.\n" for n in range(12))
    (pages / "rivers.md").write_text(f"# Rivers\n\n{shop}", encoding="utf-8")
    questions = ["how many days do I have to return clothes", "can I return sale items"]
    whole = Retriever(pages, CountingE5(), wait=True)
    expected = [whole.find(question).best for question in questions]
    monkeypatch.setattr(retrieving, "LARGE", 5)
    monkeypatch.setattr(retrieving, "NEAREST", 3)
    few = Retriever(pages, CountingE5(), store=opened("oak"), wait=True)
    assert [few.find(question).best for question in questions] == expected
    assert few._snapshot is not None
    assert few._snapshot.index is None
    after = few.find("and furniture?", Earlier(questions[0], (("return_window#How many days there are", 0.9),)))
    assert after.best is not None
    assert after.best.page == "return_window"


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


@pytest.mark.parametrize("answer", [
    away, lambda _: httpx.Response(403, json={"message": "words"}), lambda _: httpx.Response(200, text="<html>"),
])  # fmt: skip
def test_a_store_that_is_away_costs_embedding_and_nothing_else(
    pinecone: PineconeStandIn, pages: Path, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    pinecone.away = answer
    store = PineconeStore("https://index.example", "key", "oak", "e5", httpx.MockTransport(pinecone))
    one = passage(1)
    for ask in (lambda: store.known([one.key]), lambda: store.put([one]), lambda: store.nearest(one.vector, 1)):
        with pytest.raises(StoreAway):
            ask()
    assert Retriever(pages, CountingE5(), store=store, wait=True).find("how many days to return clothes").answerable
    assert "knowledge.store.away" in caplog.text
    assert "words" not in caplog.text


def test_a_server_without_pgvector_or_without_anything_is_said_to_be_away() -> None:
    with pytest.raises(StoreAway, match="OperationalError"):
        PgVectorStore("postgres://someone:hush@127.0.0.1:9/x", "oak", "e5").known([b"k"])


def test_a_memory_of_the_release_before_is_used_and_gets_its_sections(tmp_path: Path) -> None:
    texts = [("passage", "Sale: no returns", "a#b")]
    RememberingEmbedder(CountingE5(), tmp_path).keep(texts)
    (file,) = tmp_path.iterdir()
    with np.load(file) as stored:
        before = {name: stored[name] for name in stored.files if name != "sections"}
    np.savez(file, **before)
    again = CountingE5()
    embedder = RememberingEmbedder(again, tmp_path)
    vector: Vectors = embedder.keep(texts)[0]
    assert again.embedded == []
    assert embedder.nearest(vector, 1) == ["a#b"]


@pytest.mark.parametrize("values", [
    {"PASSAGE_STORE_URL": "mysql://u:hush@h/d"}, {"PASSAGE_STORE_URL": "pinecone+https://index.example"},
    {"PASSAGE_STORE_URL": "https://index.example", "PINECONE_API_KEY": "hush"},
])
def test_a_store_that_cannot_be_is_refused_with_the_remedy(values: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"PASSAGE_STORE_URL cannot be used\. Remedy: ") as refused:
        chosen_store(load(values, tmp_path / "none"), "oak", "e5")
    assert "hush" not in str(refused.value)


def test_the_store_follows_from_the_settings(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert chosen_store(load({}, none), "oak", "e5") is None
    pinecone = {"PASSAGE_STORE_URL": "pinecone+https://index.example", "PINECONE_API_KEY": "k"}
    assert isinstance(chosen_store(load(pinecone, none), "oak", "e5"), PineconeStore)
    assert isinstance(chosen_store(load({"PASSAGE_STORE_URL": "postgres://h/d"}, none), "oak", "e5"), PgVectorStore)
