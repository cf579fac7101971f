"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.rasa_patches import speedups


@pytest.fixture(autouse=True)
def stock_afterwards() -> Iterator[None]:
    """Leave Rasa as it was found."""
    yield
    speedups.uninstall()
