"""What was set aside: `python -m connectors.whatsapp.dead_letters list | replay [ID …] | drop ID …`.

A letter is replayed by putting its entry into the inbox again; the customer's later messages have been answered
meanwhile. Lists show no words and no full phone numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redis

import settings as settings_module
from connectors.whatsapp import keys
from connectors.whatsapp.inbox import Entry
from privacy.pseudonyms import mask_phone


@dataclass(frozen=True)
class DeadLetter:
    """One entry that was set aside; `id` is its place in the stream, `entry` None when it is unreadable."""

    id: str
    reason: str
    at: float
    entry: Entry | None


def letters(client: redis.Redis) -> Iterator[DeadLetter]:
    """All letters, oldest first."""
    for stream_id, fields in client.xrange(keys.DEAD_STREAM):
        raw = json.loads(fields["j"])
        try:
            entry = Entry.from_json(raw["entry"])
        except (ValueError, KeyError, TypeError):
            entry = None
        yield DeadLetter(stream_id, str(raw.get("reason")), float(raw.get("at") or 0), entry)


def replay(client: redis.Redis, letter: DeadLetter) -> bool:
    """Move a letter back into the inbox, in one step. False when it is unreadable."""
    if letter.entry is None:
        return False
    stream = keys.inbox_stream(keys.partition_of(letter.entry.customer))
    pipeline = client.pipeline(transaction=True)
    pipeline.xadd(stream, {"c": letter.entry.customer, "e": letter.entry.as_json()})
    pipeline.xdel(keys.DEAD_STREAM, letter.id)
    pipeline.execute()
    return True


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m connectors.whatsapp.dead_letters", description=__doc__)
    parser.add_argument("command", choices=["list", "replay", "drop"])
    parser.add_argument("ids", nargs="*", help="as `list` shows them; replay without ids replays all")
    options = parser.parse_args(arguments)
    if options.command == "drop" and not options.ids:
        parser.error("drop needs the ids of what to drop")
    client = redis.Redis.from_url(_address(), decode_responses=True)
    chosen = [letter for letter in letters(client) if not options.ids or letter.id in options.ids]
    for letter in chosen:
        print(_describe(letter), _carry_out(client, options.command, letter))
    print(f"{len(chosen)} dead letter{'' if len(chosen) == 1 else 's'}", file=sys.stderr)
    return 0


def _carry_out(client: redis.Redis, command: str, letter: DeadLetter) -> str:
    if command == "replay":
        return "replayed" if replay(client, letter) else "unreadable, kept"
    if command == "drop":
        client.xdel(keys.DEAD_STREAM, letter.id)
        return "dropped"
    return ""


def _describe(letter: DeadLetter) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter.at))
    if letter.entry is None:
        return f"{letter.id}  {at}  unreadable  {letter.reason}"
    customer = letter.entry.customer
    shown = mask_phone(f"+{customer}") if customer.isdigit() else customer[:6] + "…"
    return f"{letter.id}  {at}  {letter.entry.kind}  {shown}  {letter.reason}"


def _address() -> str:
    """REDIS_URL, else the embedded Redis of the running product, which leaves its address in STATE_DIR."""
    settings = settings_module.load()
    left = settings.state_path / "redis.url"
    if settings.redis_url:
        return settings.redis_url
    if left.exists():
        return left.read_text().strip()
    raise SystemExit("No Redis is running. Remedy: start the assistant, or set REDIS_URL.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
