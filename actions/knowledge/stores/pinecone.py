"""The passages in an index of Pinecone (data plane, REST), in a namespace of the shop and its embedder.

What was just put is seen there a little later. Nothing hangs on that: a passage that is not seen is embedded anew.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import httpx
import numpy as np

from actions.knowledge.stores.interface import Passage, StoreAway, Vectors

API_VERSION = "2025-01"
TIMEOUT = httpx.Timeout(10.0, connect=2.0)
AT_ONCE = 100  # vectors of a request
MAX_TEXT = 8000  # characters: 40 KB is what may be beside a vector
MAX_FOUND = 10_000


class PineconeStore:
    """A PassageStore."""

    def __init__(
        self, host: str, key: str, shop: str, embedder: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Api-Key": key, "X-Pinecone-API-Version": API_VERSION}
        self._client = httpx.Client(
            base_url=host, headers=headers, timeout=TIMEOUT, transport=transport, trust_env=False
        )
        self._namespace = f"{shop}-{embedder}"

    def known(self, keys: Collection[bytes]) -> dict[bytes, Vectors]:
        """Those of the vectors that are there, by key."""
        found: dict[bytes, Vectors] = {}
        for ids in _parts([key.hex() for key in keys]):
            answer = self._call("GET", "/vectors/fetch", params={"ids": ids, "namespace": self._namespace})
            for name, one in answer["vectors"].items():
                found[bytes.fromhex(name)] = np.array(one["values"], np.float32)
        return found

    def put(self, passages: Sequence[Passage]) -> None:
        """Keep these."""
        rows = [
            {"id": one.key.hex(), "values": [float(number) for number in one.vector],
             "metadata": {"section": one.section, "text": one.text[:MAX_TEXT]}}
            for one in {one.key: one for one in passages}.values()
        ]  # fmt: skip
        for part in _parts(rows):
            self._call("POST", "/vectors/upsert", json={"vectors": part, "namespace": self._namespace})

    def forget_others(self, keys: Collection[bytes]) -> int:
        """Delete all but these; how many."""
        kept = {key.hex() for key in keys}
        others = [name for name in self._ids() if name not in kept]
        for part in _parts(others):
            self._call("POST", "/vectors/delete", json={"ids": part, "namespace": self._namespace})
        return len(others)

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The sections of the nearest passages. A section has several: more are asked for until it suffices."""
        asked = min(MAX_FOUND, 5 * count)
        while True:
            body = {
                "vector": [float(number) for number in vector], "topK": asked, "namespace": self._namespace,
                "includeMetadata": True, "filter": {"section": {"$ne": ""}},
            }  # fmt: skip
            found = self._call("POST", "/query", json=body)["matches"]
            sections = list(dict.fromkeys(str(one["metadata"]["section"]) for one in found))
            if len(sections) >= count or len(found) < asked or asked == MAX_FOUND:
                return sections[:count]
            asked = min(MAX_FOUND, 4 * asked)

    def _ids(self) -> Iterator[str]:
        after: dict[str, str] = {}
        while True:
            asked = {"namespace": self._namespace, "limit": AT_ONCE, **after}
            answer = self._call("GET", "/vectors/list", params=asked)
            yield from [str(one["id"]) for one in answer.get("vectors") or []]
            token = (answer.get("pagination") or {}).get("next")
            if not token:
                return
            after = {"paginationToken": token}

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
            if answer.status_code != 200:
                raise StoreAway(f"HTTP {answer.status_code}")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise StoreAway(type(error).__name__) from None


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))
