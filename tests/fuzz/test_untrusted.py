"""Whatever others put into what we read, it is read, or refused with words; what a long run found is tried first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import ReadOnlyDatabase

from tests.fuzz.__main__ import Corpus
from tests.fuzz.untrusted import TARGETS


@pytest.mark.slow
@pytest.mark.parametrize("read", TARGETS, ids=lambda read: read.__name__)
def test_whatever_others_put_in_it_is_read_or_refused(read: Callable[[], None]) -> None:
    shortly = settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck),
        database=ReadOnlyDatabase(Corpus()),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target],
    )  # fmt: skip
    shortly(read)()
