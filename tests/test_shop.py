"""shop.yml: what one shop says of itself, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

import settings
import shop


def test_the_demo_shop_stands_in_the_root() -> None:
    assert shop.load(settings.PROJECT_ROOT).name == "Marigold"


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
