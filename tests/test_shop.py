"""shop.yml: what one shop says of itself, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

import settings
import shop
from components.order_numbers import shops


def test_the_demo_shop_stands_in_the_root() -> None:
    assert settings.load({}).shop_path == settings.PROJECT_ROOT
    assert shop.load(settings.PROJECT_ROOT).name


def test_shop_dir_names_another_folder(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text("name: Oak & Spoke\nlanguages: [es, en]\ncurrency: GBP\n", encoding="utf-8")
    folder = settings.load({"SHOP_DIR": str(tmp_path)}).shop_path
    read = shop.load(folder)
    assert (read.name, read.languages, read.currency) == ("Oak & Spoke", ("es", "en"), "GBP")


@pytest.mark.parametrize(("text", "remedy"), [
    ("name: A\nlanguage: [en]\n", "'languages'"),
    ("name: A\ntimezone: x\n", "'time_zone'"),
    ("languages: [en]\n", "name"),
    ("name: A\nlanguages: en\n", "must be a list"),
    ("name: A\nlanguages: [xx]\n", "one of en"),
    ("name: A\nlanguages: []\n", "is empty"),
    ("name: A\nregion: UK\n", "such as GB"),
    ("name: A\nregion: 44\n", "such as GB"),
    ("name: A\ncurrency: POUND\n", "such as GBP"),
    ("name: A\ntime_zone: London\n", "Europe/London"),
    ("name: A\ntime_zone: ../etc/passwd\n", "Europe/London"),
    ("name: A\nopening_hours: always\n", "09:00-17:30"),
    ("name: A\nopening_hours: {moonday: []}\n", "'monday'"),
    ("name: A\nopening_hours: {monday: ['9-5']}\n", "09:00-21:00"),
    ("name: A\nopening_hours: {monday: ['09:00-17:00', '16:00-18:00']}\n", "overlap"),
    ("name: A\nlanguages: [en, pt, en]\n", "twice"),
    ("name: A\nopening_hours: {holidays: [soon]}\n", "2027-01-26"),
    ("name: A\nholidays: 2027-01-26\n", "must be dates"),
    ("name: A\nticket_prefix: ab\n", "capital letters"),
    ("name: A\norders: 10234\n", "id_examples"),
    ("name: A\norders: {id_example: [1]}\n", "'id_examples'"),
    ("name: A\norders: {id_examples: WC-1}\n", "WC-1001"),
    ("name: A\norders: {statuses: [done]}\n", "wc-completed"),
    ("name: A\norders: {statuses: {done: deliverd}}\n", "'delivered'"),
    ("name: A\nactions: [cancle]\n", "one of cancel"),
    ("name: A\nquiet_hours: 9pm\n", "21:00-08:00"),
    ("name: A\nquiet_hours: 9:00-8:00\n", "21:00-08:00"),
    ("name: A\nupdates: [order.shipped]\n", "lines such as"),
    ("name: A\nupdates: {order.shiped: {text: x}}\n", "'order.shipped'"),
    ("name: A\nupdates: {order.shipped: On its way}\n", "has no text"),
    ("name: A\nupdates: {order.shipped: {text: ''}}\n", "has no text"),
    ("name: A\nupdates: {order.shipped: {text: x, tempalte: y}}\n", "text or template"),
    ("name: A\nupdates: {order.shipped: {text: {en: x, fr: y}}}\n", "no language 'fr'"),
    ("name: A\nupdates: {order.shipped: {text: {en: x, pt: ''}}}\n", "has no text"),
    ("name: A\nupdates: {order.shipped: {text: {en: x, pt: 'Oi {nome}'}}}\n", "{order}"),
    ("name: A\nupdates: {order.shipped: {text: x, template: {pt: Shipped}}}\n", "order_shipped:en"),
    ("name: A\nupdates: {order.shipped: {text: 'Hi {name}'}}\n", "{order}"),
    ("name: A\nupdates: {order.shipped: {text: x, template: Shipped}}\n", "order_shipped:en"),
    ("name: [A]\n", "no name"),
    ("- a\n", "key: value"),
    ("name: [\n", "not valid YAML"),
])
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, text: str, remedy: str) -> None:
    (tmp_path / "shop.yml").write_text(text, encoding="utf-8")
    with pytest.raises(shop.ShopError, match=remedy):
        shop.load(tmp_path)


def test_a_folder_without_shop_yml_is_named(tmp_path: Path) -> None:
    with pytest.raises(shop.ShopError, match="cannot be read"):
        shop.load(tmp_path)


def test_norway_is_a_country_and_no_denial(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text("name: A\nregion: NO\n", encoding="utf-8")
    assert shop.read(tmp_path).region == "NO"


def test_order_numbers_and_status_words_are_what_is_written_whatever_yaml_makes_of_them(tmp_path: Path) -> None:
    orders = "{id_examples: [000000123, 00871, 12:30], statuses: {010: shipped, on: placed, 1: packed}}"
    (tmp_path / "shop.yml").write_text(f"name: A\nregion: GB\norders: {orders}\n", encoding="utf-8")
    said = shop.read(tmp_path).orders
    assert said["id_examples"] == ["000000123", "00871", "12:30"]
    assert said["statuses"] == {"010": "shipped", "on": "placed", "1": "packed"}


def test_shops_under_one_state_never_mix(tmp_path: Path) -> None:
    shops = [tmp_path / "a" / "oak", tmp_path / "b" / "oak"]
    found = [settings.load({"STATE_DIR": str(tmp_path / "var"), "SHOP_DIR": str(folder)}) for folder in shops]
    places = [(one.state_path, one.models_path, one.conversation_database_url, one.archive_url) for one in found]
    assert all(len({str(place[kind]) for place in places}) == 2 for kind in range(4)), places
    again = settings.load(found[0].as_environment())
    assert again.state_path == found[0].state_path, "a child process stays where its parent is"
    assert settings.load({"STATE_DIR": str(tmp_path / "var")}).state_path == (tmp_path / "var").resolve()


def test_an_old_variable_wins_and_says_where_it_belongs(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    monkeypatch.setenv("DEFAULT_REGION", "GB")
    shop._loaded.cache_clear()
    assert [shop.load().region for _ in range(3)] == ["GB"] * 3
    assert caplog.text.count("DEFAULT_REGION wins over region of shop.yml") == 1, "once, not on every answer"
    monkeypatch.setenv("ORDER_NUMBER_PATTERN", r"\d{7}")
    shops._complain_once.cache_clear()
    assert [shops.shop_pattern() for _ in range(3)] == [r"\d{7}"] * 3
    assert caplog.text.count("ORDER_NUMBER_PATTERN wins over orders of shop.yml") == 1


def test_a_changed_shop_yml_is_read_anew(tmp_path: Path) -> None:
    for prefix in ("A", "BB"):
        (tmp_path / "shop.yml").write_text(f"name: A\nticket_prefix: {prefix}\n", encoding="utf-8")
        assert shop.load(tmp_path).ticket_prefix == prefix


def test_spans_of_a_day_are_minutes_after_midnight() -> None:
    assert [shop.open_minutes(span) for span in ("09:00-17:30", "00:00 - 24:00")] == [(540, 1050), (0, 1440)]
