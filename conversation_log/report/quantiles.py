"""Quantiles of durations in constant memory: a histogram whose bins grow by 5 %, so results are 2.5 % off at most."""

import math
from collections import Counter

_GROWTH = math.log(1.05)
_MIN_S = 0.001


class Durations:
    """Durations in seconds; what is shorter than a millisecond counts as one."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self.count = 0

    def add(self, seconds: float) -> None:
        self._bins[math.floor(math.log(max(seconds, _MIN_S) / _MIN_S) / _GROWTH)] += 1
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """The duration that `share` (0 to 1) of all do not exceed; None without any."""
        left = share * self.count
        for index in sorted(self._bins):
            left -= self._bins[index]
            if left <= 0:
                return _MIN_S * math.exp((index + 0.5) * _GROWTH)
        return None
