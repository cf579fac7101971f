"""`make new-shop`: the folder of a shop, begun."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import shop
from launch import new_shop


def test_a_new_shop_can_be_read_and_its_shop_yml_documents_every_key(tmp_path: Path) -> None:
    folder = tmp_path / "shops" / "oak"
    assert new_shop.main([str(folder)]) == 0
    assert shop.read(folder).region == "GB"
    text = (folder / "shop.yml").read_text(encoding="utf-8")
    keys = [*(one.name for one in dataclasses.fields(shop.Shop)), "id_examples", "id_pattern", "statuses"]
    assert not [key for key in keys if f"{key}:" not in text]
    assert all("#" in line for line in text.splitlines() if line and not line.startswith(" "))
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [
        "README.md", "delivery.md", "questions.tsv", "shop.yml",
    ]  # fmt: skip


def test_the_commented_keys_of_a_new_shop_can_be_used_as_they_stand(tmp_path: Path) -> None:
    new_shop.write(tmp_path)
    path = tmp_path / "shop.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^( *)# ( *[a-z_.]+: )", r"\1\2", text, flags=re.MULTILINE), encoding="utf-8")
    ours = shop.read(tmp_path)
    assert (ours.actions, ours.quiet_hours) == (("cancel", "address", "returns"), "21:00-08:00")
    assert ours.links == ("oakandspoke.example", "dhl.com")
    assert list(ours.updates) == ["order.shipped", "order.delayed"]


def test_a_relative_folder_starts_where_make_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new_shop.main(["oak"]) == 0
    assert (tmp_path / "oak" / "shop.yml").exists()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert new_shop.main([str(tmp_path)]) == 0


@pytest.mark.parametrize("arguments", [[], [""], ["a", "b"], ["--help me"]])
def test_without_one_folder_nothing_is_begun(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert new_shop.main(arguments) == 1
    assert "make new-shop DIR=" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "file", "below a file"])
def test_what_is_there_is_never_touched(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    target = {"folder": tmp_path, "file": tmp_path / "mine", "below a file": tmp_path / "mine" / "oak"}[kind]
    assert new_shop.main([str(target)]) == 1
    assert "Remedy:" in capsys.readouterr().err
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["mine"]
