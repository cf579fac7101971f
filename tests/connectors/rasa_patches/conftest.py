"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.rasa_patches import speedups


@pytest.fixture(autouse=True)
def stock_before_and_afterwards() -> Iterator[None]:
    """Others' tests load the agent as it is served."""
    speedups.uninstall()
    yield
    speedups.uninstall()
