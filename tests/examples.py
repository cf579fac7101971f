"""How many examples of Hypothesis a test takes: as many as it says, and few in `make quick`."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> int:
    """`count`, or what the profile allows where that is less than usual."""
    usual, allowed = settings.get_profile("default").max_examples, settings.default.max_examples
    return min(count, allowed) if allowed < usual else count
