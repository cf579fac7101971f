"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.handoff.helpdesks.backend_samples import BACKENDS, Backend, hubspot_backend, zendesk_backend


@pytest.fixture(params=[*BACKENDS])
def backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Backend]:
    yield from BACKENDS[request.param](tmp_path)


@pytest.fixture
def zendesk(tmp_path: Any) -> Iterator[Backend]:
    yield from zendesk_backend(tmp_path)


@pytest.fixture
def hubspot(tmp_path: Any) -> Iterator[Backend]:
    yield from hubspot_backend(tmp_path)
