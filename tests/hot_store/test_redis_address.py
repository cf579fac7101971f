"""REDIS_URL in all its forms."""

from __future__ import annotations

import pytest

from hot_store import redis_address


def test_sentinels_have_their_own_credentials_and_default_ports() -> None:
    found = redis_address.parse("redis+sentinel://u:p%40ss@h1:1,h2,[::1]:3/service/2?sentinel_password=s%2Fp")
    assert found.nodes == (("h1", 1), ("h2", 26379), ("::1", 3))
    assert (found.kind, found.service, found.is_tls) == ("sentinel", "service", False)
    assert found.options == {"username": "u", "password": "p@ss", "db": 2}
    assert found.sentinel_options == {"password": "s/p"}


def test_a_cluster_is_named_by_some_of_its_servers() -> None:
    found = redis_address.parse("rediss+cluster://:secret@h1:7000,h2")
    assert (found.kind, found.nodes, found.is_tls) == ("cluster", (("h1", 7000), ("h2", 6379)), True)
    assert found.options == {"password": "secret"}


@pytest.mark.parametrize("url", [
    "redis+sentinel://hunter2:1", "redis+sentinel://h/s/hunter2", "redis+sentinel://h/s?hunter2=1", "redis://h:hunter2",
    "redis+sentinel://h:99999/hunter2", "redis+cluster://h/hunter2", "redis+cluster://h;hunter2", "http://hunter2", "",
])  # fmt: skip
def test_what_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        redis_address.parse(url)
    assert "hunter2" not in str(refused.value)
