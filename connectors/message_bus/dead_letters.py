"""What was set aside: `python -m connectors.message_bus.dead_letters list | replay [ID …] | drop ID …`.

A letter is replayed by putting its entry into the inbox again, or its reply into the outbox; the customer's later
messages have been answered meanwhile. Lists show no words and no full phone numbers.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import redis

import settings as settings_module
import signals
from connectors.message_bus import keys
from connectors.message_bus.commit import WINDOW_S, Outgoing
from connectors.message_bus.inbox import Entry
from hot_store import redis_address
from lenient_json import as_mapping, number
from privacy.pseudonyms import mask_phone

_BACK = """
if redis.call('XDEL', KEYS[2], ARGV[3]) == 1 then redis.call('XADD', KEYS[1], '*', 'c', ARGV[1], 'e', ARGV[2]) end
"""


@dataclass(frozen=True)
class DeadLetter:
    """What was set aside: an inbox entry or a reply, neither when it is unreadable.

    `id` is its place: the partition, a dot, and the id in the partition's stream.
    """

    id: str
    reason: str
    at: float
    entry: Entry | None = None
    reply: Outgoing | None = None

    @property
    def place(self) -> tuple[str, str]:
        """The stream that it lies in, and its id there."""
        partition, _, stream_id = self.id.partition(".")
        return keys.dead_stream(int(partition)), stream_id


def letters(client: redis.Redis) -> Iterator[DeadLetter]:
    """All letters, oldest first."""
    found = [
        (stream_id, partition, fields.get("j", ""))
        for partition in range(keys.PARTITIONS)
        for stream_id, fields in client.xrange(keys.dead_stream(partition))
    ]
    for stream_id, partition, text in sorted(found, key=lambda one: [int(part) for part in one[0].split("-")]):
        yield _letter(f"{partition}.{stream_id}", text)


def _letter(stream_id: str, text: str) -> DeadLetter:
    raw: Mapping[str, Any] = {}
    try:
        raw = as_mapping(json.loads(text))
        reason, at = str(raw.get("reason")), float(raw.get("at") or 0)
        if "reply" in raw:
            return DeadLetter(stream_id, reason, at, reply=Outgoing.from_json(raw["reply"]))
        return DeadLetter(stream_id, reason, at, entry=Entry.from_json(raw["entry"]))
    except (ValueError, KeyError, TypeError):
        return DeadLetter(stream_id, str(raw.get("reason")), number(raw.get("at")) or 0.0)


def replay(client: redis.Redis, letter: DeadLetter) -> bool:
    """Move a letter back into the inbox, or a reply into the outbox, in one step. False when it is unreadable.

    An entry's replies get new keys: under the old ones the apology went out, and Graph would be believed to have them.
    A reply keeps its key: should Graph have taken it after all, it is not sent again.
    """
    if letter.entry is not None:
        customer, stream = letter.entry.customer, keys.inbox_stream
        words = replace(letter.entry, replays=letter.entry.replays + 1).as_json()
    elif letter.reply is not None:
        customer, stream = letter.reply.customer, keys.outbox_stream
        words = replace(letter.reply, replayed=True).as_json()
    else:
        return False
    dead, stream_id = letter.place
    target = stream(int(letter.id.partition(".")[0]))
    client.eval(_BACK, 2, target, dead, customer, words, stream_id)
    return True


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit status."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m connectors.message_bus.dead_letters", description=__doc__)
    parser.add_argument("command", choices=["list", "replay", "drop"])
    parser.add_argument("ids", nargs="*", help="as `list` shows them; replay without ids replays all")
    options = parser.parse_args(arguments)
    if options.command == "drop" and not options.ids:
        parser.error("drop needs the ids of what to drop")
    client = redis_address.client(_address(), decode_responses=True)
    chosen = [letter for letter in letters(client) if not options.ids or letter.id in options.ids]
    for letter in chosen:
        print(_describe(letter), _carry_out(client, options.command, letter))
    print(f"{len(chosen)} dead letter{'' if len(chosen) == 1 else 's'}", file=sys.stderr)
    return 0


def _carry_out(client: redis.Redis, command: str, letter: DeadLetter) -> str:
    if command == "replay":
        return "replayed" if replay(client, letter) else "unreadable, kept"
    if command == "drop":
        client.xdel(*letter.place)
        return "dropped"
    return ""


def _describe(letter: DeadLetter) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter.at))
    found = letter.entry or letter.reply
    if found is None:
        return f"{letter.id}  {at}  unreadable  {letter.reason}"
    shown = mask_phone(f"+{found.customer}") if found.customer.isdigit() else found.customer[:6] + "…"
    kind = found.kind if isinstance(found, Entry) else f"reply of the {found.author}"
    return f"{letter.id}  {at}  {kind}  {shown}  {letter.reason}{_too_late(letter)}"


def _too_late(letter: DeadLetter) -> str:
    """WhatsApp takes free text for 24 hours after the customer last wrote; the answer to a replay may come too late."""
    if letter.reply is not None:
        late = time.time() > letter.reply.expires_at
    else:
        sent_at = number(as_mapping(letter.entry.payload.get("metadata")).get("timestamp")) if letter.entry else None
        late = sent_at is not None and time.time() - sent_at > WINDOW_S
    return "  (too late to be answered)" if late else ""


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
