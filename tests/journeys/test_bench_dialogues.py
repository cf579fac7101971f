"""`make bench-dialogues` in small, on the journeys' shop: two dialogues, once, on a calm day."""

from __future__ import annotations

from tests.bench_dialogues.bench import bench, runs_of
from tests.bench_dialogues.cases import read_arguments
from tests.bench_dialogues.play import Weather
from tests.bench_dialogues.results import Conditions, Results
from tests.journeys.shop import Shop

NAMES = ("cancels-by-button", "a-strangers-number")
FIRST_PLACE = 700  # orders and phones that no journey has


def test_dialogues_are_played_and_judged(shop: Shop) -> None:
    runs = runs_of([one for one in read_arguments() if one.id in NAMES], 1, FIRST_PLACE)
    outcomes, killed = bench(shop, runs, Weather(), seed=1, at_once=2)
    results = Results(outcomes, Conditions("make bench-dialogues", "today", "here", 1.0, "calm", killed))
    assert [(one.wrong, one.leaks) for one in outcomes] == [((), ())] * len(NAMES)
    assert "| **all** | 2 | 2 | 1.00 |" in results.markdown()
    acts = [act for one in outcomes for act in one.played.acts[-1]]
    assert [action for action, _ in acts] == ["cancel"]
