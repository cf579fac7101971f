"""Many runs side by side against one running product, while its processes are killed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import cycle, islice

from tests.bench_dialogues.cases import Argument
from tests.bench_dialogues.evidence import Outcome, Secrets, judged
from tests.bench_dialogues.leaks import secrets_of
from tests.bench_dialogues.play import Played, Weather, play
from tests.bench_dialogues.world import Run, add_orders
from tests.journeys.shop import Shop

VICTIMS = {"rasa": " connectors.server", "actions": " launch.action_server", "worker": " worker ", "redis": "-server "}
EVERY_S = (12.0, 25.0)

Say = Callable[[str], None]


def runs_of(arguments: Iterable[Argument], k: int, first_place: int = 0) -> list[Run]:
    """k runs of each dialogue, the first of all, then the second of all: a bench that is cut short is fair to each."""
    chosen = list(arguments)
    pairs = [(attempt, argument) for attempt in range(k) for argument in chosen]
    return [Run(argument, attempt, first_place + place) for place, (attempt, argument) in enumerate(pairs)]


class Killer:
    """Kills one of the product's processes after the other, with pauses, until it is told to stop."""

    def __init__(self, shop: Shop, kills: int, seed: int) -> None:
        self.killed: Counter[str] = Counter()
        self._shop, self._kills, self._chance = shop, kills, random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _work(self) -> None:
        for name in islice(cycle(VICTIMS), self._kills):
            if self._over.wait(self._chance.uniform(*EVERY_S)):
                return
            for victim in self._shop.children(VICTIMS[name])[:1]:
                victim.kill()
                self.killed[name] += 1


def bench(
    shop: Shop, runs: Sequence[Run], weather: Weather, seed: int, kills: int = 0, at_once: int = 6,
    until: float | None = None, prompts: Callable[[], Sequence[str]] = tuple, say: Say = lambda line: None,
) -> tuple[list[Outcome], Counter[str]]:  # fmt: skip
    """Play the runs and judge them; those that have not begun at `until` (monotonic seconds) are left out."""
    canaries = add_orders(shop.state_dir, runs, date.today())
    values = frozenset(secrets_of(shop.children()))

    def one(run: Run) -> Played | None:
        if until is not None and time.monotonic() > until:
            return None
        played = play(run, shop, weather, seed)
        say(f"{run.name}{': ' + played.trouble if played.trouble else ''}")
        return played

    with Killer(shop, kills, seed) as killer, ThreadPoolExecutor(at_once) as pool:
        played = [found for found in pool.map(one, runs) if found is not None]
    return judged(played, shop, Secrets(canaries, values, prompts())), killer.killed
