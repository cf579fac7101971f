"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rasa_patches.stock import back_to_stock


@pytest.fixture(autouse=True)
def stock_before_and_afterwards() -> Iterator[None]:
    """Others' tests load the agent as it is served."""
    back_to_stock()
    yield
    back_to_stock()
