"""Which of several answers most of those who know give: of sentinels which master, of a cluster's servers which map."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Vote = TypeVar("Vote")


async def counted(
    asked: Iterable[Coroutine[Any, Any, Vote | None]], voters: int, known: Iterable[Vote] = ()
) -> Counter[Vote]:
    """How many say what, beside those whose vote is `known`; None says nothing.

    Nobody is waited for once more than half of all `voters` agree.
    """
    votes = Counter(known)
    waiting = {asyncio.create_task(one) for one in asked}
    try:
        while waiting and max(votes.values(), default=0) <= voters / 2:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            votes.update(vote for task in done if (vote := task.result()) is not None)
    finally:
        for task in waiting:
            task.cancel()
    return votes
