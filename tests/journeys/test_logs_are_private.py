"""Neither secrets nor customers' words are in the product's logs, at the most talkative level."""

from __future__ import annotations

import json

from tests.journeys.shop import Shop, words

WORDS = "zebra xylophone"
PHONE = "+919811122233"


def test_neither_secrets_nor_words_are_in_the_logs_even_at_debug(shop: Shop) -> None:
    """The shop of all journeys logs at DEBUG."""
    customer = shop.customer(PHONE)
    customer.say(f"where is my {WORDS} order 10234?")
    assert "#" in words(customer.say(f"this {WORDS} is fraud, i want my money back"))
    customer.say(f"are you there {WORDS}")
    made = json.loads((shop.state_dir / "demo_secrets.json").read_text())
    given = {name: value for name, value in shop.environment.items() if "SECRET" in name or "TOKEN" in name}
    secrets = {**made, **given}
    assert len(secrets) > 4
    logs = shop.output.read_text(errors="replace")
    assert "DEBUG" in logs
    assert [name for name, value in secrets.items() if value in logs] == []
    assert WORDS.split()[0] not in logs
    assert PHONE[1:] not in logs
