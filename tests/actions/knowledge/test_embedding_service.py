"""Embeddings by a service that speaks OpenAI's API: the same answers as built in, and answers while it is away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from actions.knowledge.pages.files import KnowledgeError
from actions.knowledge.retrieval import embedding_service
from actions.knowledge.retrieval.embedding import E5, Vectors
from actions.knowledge.retrieval.embedding_service import EmbeddingService, ServiceAway, chosen_embedder
from actions.knowledge.retrieval.relevance import FITTED
from actions.knowledge.retrieval.retriever import Retriever, default_retriever
from actions.knowledge.stores.remembering import RememberingEmbedder
from privacy.redaction import redact
from settings import load
from tests.actions.knowledge.conftest import CountingE5

MODEL = "intfloat/multilingual-e5-small"
Answer = Callable[[list[str]], httpx.Response]


class StandIn:
    """A service whose vectors are those of the real model; `script` holds other answers, in their order."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.script: list[Answer | None] = []
        self.turn = np.eye(384, dtype=np.float32)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        self.headers = dict(request.headers)
        assert request.url.path == "/v1/embeddings"
        scripted = self.script.pop(0) if self.script else None
        return scripted(body["input"]) if scripted else self.vectors(body["input"])

    def vectors(self, texts: list[str]) -> httpx.Response:
        rows = []
        for at, text in enumerate(texts):
            kind, _, words = text.partition(": ") if text.startswith(("query: ", "passage: ")) else ("query", "", text)
            vector = 2 * real([words], kind)[0] @ self.turn
            rows.append({"object": "embedding", "index": at, "embedding": vector.tolist()})
        return httpx.Response(200, json={"object": "list", "data": rows[::-1], "model": MODEL})


def real(texts: Sequence[str], kind: str) -> Vectors:
    return CountingE5().embed(texts, kind)


def failing(status: int) -> Answer:
    return lambda _: httpx.Response(status, json={"error": {"message": "secret words"}})


def refused(_: list[str]) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.fixture
def there() -> StandIn:
    return StandIn()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_service, "PAUSES_S", (0.0, 0.0, 0.0))


def service(there: StandIn, model: str = MODEL, stand_in: Any = None) -> EmbeddingService:
    url = "http://embeddings.example/v1/"
    return EmbeddingService(url, "k-1", model, redact, stand_in, httpx.MockTransport(there))


def test_a_question_is_answered_from_the_same_section_as_with_the_built_in_model(
    there: StandIn, pages: Path, retriever: Retriever
) -> None:
    asked = service(there, stand_in=CountingE5())
    theirs = Retriever(pages, asked, wait=True).find("how many days do I have to return a kurta")
    ours = retriever.find("how many days do I have to return a kurta")
    assert theirs.best == ours.best
    assert theirs.score == pytest.approx(ours.score, abs=0.01)
    assert there.headers["authorization"] == "Bearer k-1"
    assert {call["model"] for call in there.asked} == {MODEL}
    assert {text.split(": ")[0] for call in there.asked for text in call["input"]} == {"query", "passage"}
    assert all(len(call["input"]) <= embedding_service.BATCH for call in there.asked)


def test_what_customers_ask_goes_there_without_their_data(there: StandIn) -> None:
    service(there).embed(["my card is 4111 1111 1111 1111, can I return it?"], "query")
    assert "4111" not in json.dumps(there.asked)


def test_a_service_that_is_away_is_stood_in_for_and_rests(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(embedding_service.time, "monotonic", lambda: clock[0])
    asked = service(there, stand_in=CountingE5())
    clock[0] = 100.0
    asked.embed(["hello"], "query")
    there.script = [refused]
    before = len(there.asked)
    assert np.allclose(asked.embed(["hello"], "query"), real(["hello"], "query"), atol=1e-3)
    for _ in range(3):
        asked.embed(["again"], "query")
        clock[0] += embedding_service.COOLDOWN_S / 3
    assert len(there.asked) == before + 1, "customers do not wait for it again and again"
    clock[0] += 1
    asked.embed(["again"], "query")
    assert len(there.asked) == before + 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_pages_are_sent_again_until_it_takes_them(there: StandIn, status: int) -> None:
    there.script = [failing(status), refused, failing(status)]
    assert service(there).embed(["a", "b"], "passage").shape == (2, 384)
    assert len(there.asked) == 4


def nonsense(data: Any) -> Answer:
    return lambda _: httpx.Response(200, json=data)


@pytest.mark.parametrize("answer", [
    failing(401), failing(404), refused, lambda _: httpx.Response(200, text="<html>"), nonsense([]),
    nonsense({"data": []}), nonsense({"data": [{"index": 0, "embedding": []}]}),
    nonsense({"data": [{"index": 0, "embedding": ["x"]}]}),
    nonsense({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}), nonsense({"data": [{"embedding": [1.0]}]}),
    lambda _: httpx.Response(307, headers={"location": "http://elsewhere.example"}),
])  # fmt: skip
def test_whatever_it_answers_instead_of_vectors_is_said_without_the_question(
    there: StandIn, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    there.script = [answer]
    with pytest.raises(KnowledgeError, match="EMBEDDINGS_URL"):
        service(there, "acme-embed").embed(["where is Asha's kurta"], "query")
    assert "knowledge.embeddings.away" in caplog.text
    assert "kurta" not in caplog.text + str(caplog.records)
    assert "secret words" not in caplog.text


def test_another_model_under_the_same_name_is_not_believed(there: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    there.turn = there.turn[::-1]
    asked = service(there, stand_in=CountingE5())
    assert np.allclose(asked.embed(["hello"], "passage"), real(["hello"], "passage"), atol=1e-3)
    assert "another model" in caplog.text


def test_pages_that_were_embedded_once_are_not_sent_again(there: StandIn, tmp_path: Path) -> None:
    RememberingEmbedder(service(there), tmp_path).embed(["a", "b"], "passage")
    before = len(there.asked)
    RememberingEmbedder(service(there), tmp_path).embed(["a", "b"], "passage")
    assert len(there.asked) == before


def test_other_models_need_a_fit_of_their_own_and_are_used_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"STATE_DIR": str(tmp_path), "EMBEDDINGS_URL": "http://127.0.0.1:9/v1", "EMBEDDINGS_MODEL": "acme/embed-3"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KnowledgeError, match="relevance_training"):
        default_retriever()
    embedder, fit = chosen_embedder(load(), redact)
    assert fit == tmp_path / "knowledge" / "relevance-acme-embed-3-service.npz"
    fit.parent.mkdir()
    shutil.copy(FITTED, fit)
    assert default_retriever()._model is not None
    with pytest.raises(KnowledgeError, match="gives no vectors"):
        embedder.embed(["hello"], "query")


def test_nothing_is_asked_of_a_service_that_nobody_named(tmp_path: Path) -> None:
    embedder, fit = chosen_embedder(load({"STATE_DIR": str(tmp_path)}, tmp_path / "none"), redact)
    assert (type(embedder), fit) == (E5, None)


def test_it_can_be_tried_with_one_call(there: StandIn) -> None:
    assert service(there).try_once() == 384
    there.script = [failing(401)]
    with pytest.raises(ServiceAway, match="HTTP 401"):
        service(there).try_once()
