"""What was seen of the runs when all is over: what Graph accepted, and what the conversation log says of it."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench_dialogues.cases import Turn
from tests.bench_dialogues.leaks import in_acts, in_reply
from tests.bench_dialogues.play import Played
from tests.bench_dialogues.world import Canary
from tests.journeys.shop import Shop, options, words
from workbench.dialogues.cases import filled
from workbench.dialogues.judge import judge
from workbench.dialogues.play import Played as PlayedTurn
from workbench.dialogues.play import Reply

LOGGED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Sent:
    """One bubble that reached a customer, with what the log knows of it."""

    key: str
    at: float
    reply: Reply
    escalated: bool


@dataclass(frozen=True)
class Outcome:
    """A run that is judged. `wrong`: what was wrong, turn by turn in words; `leaks`: (kind, words)."""

    played: Played
    wrong: tuple[str, ...]
    leaks: tuple[tuple[str, str], ...]
    said_twice: int

    @property
    def passed(self) -> bool:
        return not self.wrong and not self.leaks


@dataclass(frozen=True)
class Secrets:
    """What no customer may read: other customers' data, the values of secret settings, an LLM's instructions."""

    canaries: Sequence[Canary] = ()
    values: frozenset[str] = frozenset()
    prompts: Sequence[str] = ()


def judged(played: Sequence[Played], shop: Shop, secrets: Secrets) -> list[Outcome]:
    """The outcome of every run."""
    phones = {one.run.phone.lstrip("+"): one for one in played}
    sent = [entry for entry in shop.sent() if entry["to"] in phones]
    logged = _logged(shop.state_dir, {_key(entry) for entry in sent if _key(entry)})
    by_phone: dict[str, list[Sent]] = defaultdict(list)
    for entry in sent:
        by_phone[entry["to"]].append(_sent(entry, logged.get(_key(entry), {})))
    return [_outcome(one, by_phone[phone], secrets) for phone, one in phones.items()]


def _key(entry: dict[str, Any]) -> str:
    return str(entry["body"].get("biz_opaque_callback_data") or "")


def _logged(state_dir: Path, keys: set[str]) -> dict[str, dict[str, Any]]:
    """The log's rows of these replies, once the log knows what they are; or those that it has in time."""
    deadline = time.monotonic() + LOGGED_WITHIN_S
    while True:
        with closing(sqlite3.connect(state_dir / "conversations.db", timeout=20)) as log:
            log.row_factory = sqlite3.Row
            rows = {row["message_key"]: dict(row) for row in log.execute("SELECT * FROM messages WHERE role != 'user'")}
        known = {key for key, row in rows.items() if row["response"] or row["role"] == "agent"}
        if keys <= known or time.monotonic() > deadline:
            return rows
        time.sleep(0.5)


def _sent(entry: dict[str, Any], row: dict[str, Any]) -> Sent:
    body = entry["body"]
    chosen = options(body)
    pages = row.get("policy_pages") or "[]"
    reply = Reply(
        str(row.get("response") or ""), words(body), tuple(option["title"] for option in chosen),
        tuple(json.loads(pages) or ()) if isinstance(pages, str) else tuple(pages),
    )  # fmt: skip
    return Sent(_key(entry), entry["at"], reply, bool(row.get("escalated")))


def _outcome(played: Played, sent: Sequence[Sent], secrets: Secrets) -> Outcome:
    run, wrong = played.run, [f"played to turn {len(played.acts)} only: {played.trouble}"] if played.trouble else []
    agreed: list[tuple[str, str]] = []
    leaks: list[tuple[str, str]] = []
    waiting = False
    for place, (turn, acts) in enumerate(zip(run.argument.turns, played.acts, strict=False)):
        mine = _once([one for one in sent if _turn_of(one, played) == place])
        opened = any(one.escalated for one in mine)
        one = PlayedTurn(turn.judged.say, replies=[entry.reply for entry in mine], opened=opened, waiting=waiting)
        waiting = one.ticket = (waiting or opened) and not any("handoff_cancelled" in r.response for r in one.replies)
        agreed += [(act.split()[0], run.numbers[act.split()[1]]) for act in turn.acts]
        wrong += _wrong(turn, one, played)
        wrong += [f"not done: {' '.join(act)}" for act in agreed if act not in acts]
        leaks += in_acts(acts, agreed, run)
    for one in sent:
        leaks += in_reply(one.reply.text, one.reply.response, run, secrets.canaries, secrets.values, secrets.prompts)
    return Outcome(played, tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(leaks)), len(sent) - len(_once(sent)))


def _turn_of(sent: Sent, played: Played) -> int:
    """The turn that a bubble answers; one that the channel says by itself belongs to the turn in which it came."""
    by_key = [place for place, wamids in enumerate(played.wamids) if sent.key.rpartition(":")[0] in wamids]
    return by_key[0] if by_key else sum(begun <= sent.at for begun in played.begun) - 1


def _once(sent: Sequence[Sent]) -> list[Sent]:
    """Each reply once: one whose acceptance we could not learn may have gone out again."""
    return list({one.key or str(place): one for place, one in enumerate(sent)}.values())


def _wrong(turn: Turn, one: PlayedTurn, played: Played) -> list[str]:
    numbers = played.run.numbers
    wanted = replace(turn.judged, right=tuple(filled(right, numbers) for right in turn.judged.right))
    verdict = judge(played.run.argument.plain, wanted, one, numbers)
    said = " | ".join(f"{reply.response or '?'}: {' / '.join(reply.text.splitlines())[:110]}" for reply in one.replies)
    found = [f"after {turn.judged.say!r}: {said or 'nothing'}; right: {', '.join(turn.judged.right)}"]
    found = [] if verdict.right else found
    if verdict.wrong_ticket or verdict.missed_ticket:
        found.append(f"after {turn.judged.say!r}: {'a' if verdict.wrong_ticket else 'no'} person was called")
    text = "\n".join(reply.text for reply in one.replies)
    never = [word for word in turn.never if re.search(filled(word, numbers), text, re.I)]
    return found + [f"after {turn.judged.say!r}: it said {word!r}" for word in never]
