"""handoff.yml: the file that ships works, and a mistake in it is named with its remedy."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import yaml_files
from handoff.configuration import HANDOFF_FILE, HandoffConfigurationError, load_configuration
from handoff.takeover.opening_hours import BusinessHours, Span

KOLKATA = ZoneInfo("Asia/Kolkata")


def at(*moment: int) -> float:
    return dt.datetime(*moment, tzinfo=KOLKATA).timestamp()  # type: ignore[arg-type,misc]


def changed(tmp_path: Path, **values: Any) -> Path:
    content = yaml_files.read(HANDOFF_FILE)
    content.update(values)
    path = tmp_path / "handoff.yml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_file_that_ships_is_right() -> None:
    configuration = load_configuration()
    assert configuration.reference_prefix == "MG"
    assert "back to the bot" in configuration.back_to_assistant


@pytest.mark.parametrize(("moment", "is_open"), [
    ((2026, 11, 23, 9, 0), True), ((2026, 11, 23, 8, 59), False), ((2026, 11, 23, 20, 59), True),
    ((2026, 11, 23, 21, 0), False), ((2026, 11, 29, 9, 30), False), ((2026, 11, 29, 10, 0), True),
])  # fmt: skip
def test_business_hours_are_the_shops_own_time(moment: tuple[int, ...], is_open: bool) -> None:
    assert load_configuration().hours.open_at(at(*moment)) is is_open


def test_a_holiday_is_closed_and_the_next_opening_is_the_day_after() -> None:
    spans = dict.fromkeys((1, 2), (Span(9 * 60, 21 * 60),))
    hours = BusinessHours(KOLKATA, spans, frozenset({dt.date(2027, 1, 26)}))
    assert not hours.open_at(at(2027, 1, 26, 12, 0))
    assert hours.next_opening(at(2027, 1, 26, 12, 0)) == dt.datetime(2027, 1, 27, 9, 0, tzinfo=KOLKATA)


def test_a_shop_that_never_opens_promises_no_time() -> None:
    assert BusinessHours(KOLKATA, {}).next_opening(at(2027, 1, 26, 12, 0)) is None


@pytest.mark.parametrize(("values", "named"), [
    ({"coalesce_seconds": "soon"}, "coalesce_seconds"),
    ({"updates_per_10_minutes": 300}, "updates_per_10_minutes"),
    ({"order_link": "https://admin.example/orders"}, "{order_number}"),
    ({"public_url": "bot.example"}, "https://"),
    ({"freshdesk_order_field": "Order number"}, "cf_order_number"),
    ({"buisness_hours": {}}, "buisness_hours"),
    ({"business_hours": {}}, "Remedy: write opening_hours and time_zone there"),
    ({"reference_prefix": "MG"}, "Remedy: write ticket_prefix there"),
    ({"back_to_assistant": "bot"}, "list of phrases"),
    ({"stop_updates": "stop"}, "stop_updates must be a list of phrases"),
    ({"phone_app_silence_minutes": -1}, "phone_app_silence_minutes"),
    ({"phone_app_silence_minutes": "an hour"}, "phone_app_silence_minutes"),
    ({"notifications": {"digest_above": 0}}, "digest_above"),
    ({"customer_files": {"max_megabytes": 500}}, "max_megabytes must be a number from 1 to 100"),
    ({"customer_files": {"keep_days": "for ever"}}, "keep_days"),
    ({"customer_files": {"days": 3}}, "keep_days, max_megabytes"),
    ({"ask_how_it_was": "three faces"}, "ask_how_it_was must be true or false"),
])  # fmt: skip
def test_a_mistake_is_named_with_the_file_and_the_remedy(tmp_path: Path, values: Any, named: str) -> None:
    path = changed(tmp_path, **values)
    with pytest.raises(HandoffConfigurationError) as caught:
        load_configuration(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize("written", ["a: [", "- 1", ""])
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, written: str) -> None:
    path = tmp_path / "handoff.yml"
    path.write_text(written)
    with pytest.raises(HandoffConfigurationError, match=str(path)):
        load_configuration(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HandoffConfigurationError, match="Restore it"):
        load_configuration(tmp_path / "gone.yml")


def test_another_shops_hours_and_prefix_come_from_its_shop_yml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "name: Oak\ntime_zone: Europe/London\nticket_prefix: OS\nopening_hours: {monday: ['09:00-17:30']}\n"
    (tmp_path / "shop.yml").write_text(said + "holidays: [2026-11-30]\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_DIR", str(tmp_path))
    configuration = load_configuration()
    assert configuration.reference_prefix == "OS"
    in_london = partial(dt.datetime, 2026, 11, tzinfo=dt.timezone.utc)
    assert configuration.hours.open_at(int(in_london(23, 17, 29).timestamp()))
    assert not configuration.hours.open_at(int(in_london(23, 17, 30).timestamp()))
    assert not configuration.hours.open_at(int(in_london(30, 12).timestamp())), "a holiday"


@pytest.mark.parametrize(("said", "opens"), [("open", True), ("closed\n", False), ("perhaps", None), (None, None)])
def test_a_switch_opens_and_closes_the_desk_whatever_the_hours(
    said: str | None, opens: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_SWITCH", str(tmp_path / "desk"))
    hours = load_configuration().hours
    if said is not None:
        (tmp_path / "desk").write_text(said)
    for hour in (3, 12):
        noon = dt.datetime(2026, 11, 30, hour, tzinfo=hours.zone).timestamp()
        assert hours.open_at(noon) is ((hour == 12) if opens is None else opens)
        assert (hours.closed_until(noon) is None) is hours.open_at(noon)
