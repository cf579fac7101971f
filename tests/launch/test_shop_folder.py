"""What another shop's folder adds to the project when its model is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import shop
import yaml_files
from launch import shop_folder


@pytest.fixture
def oak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "oak"
    (folder / "data" / "nlu").mkdir(parents=True)
    (folder / "shop.yml").write_text("name: 'Oak {&} Spoke: \"wheels\"'\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_DIR", str(folder))
    return folder


@pytest.mark.slow
def test_no_word_of_the_demo_shop_reaches_another_shops_customers(oak: Path, tmp_path: Path) -> None:
    domain, data = shop_folder.compose(oak, tmp_path / "state")
    said = domain.read_text(encoding="utf-8")
    assert "arigold" not in said
    assert "{brand}" not in said
    greeting = yaml_files.parsed(said)["responses"]["utter_greet"][0]["text"]
    assert 'Oak (&) Spoke: "wheels"' in greeting
    assert data == [shop_folder.DATA, oak / "data" / "nlu"]


@pytest.mark.slow
def test_a_shops_response_replaces_ours_by_name(oak: Path, tmp_path: Path) -> None:
    own = {"responses": {"utter_greet": [{"text": "Ahoy from {brand}"}]}}
    (oak / "responses.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    responses = yaml_files.read(shop_folder.compose(oak, tmp_path / "state")[0])["responses"]
    assert responses["utter_greet"] == [{"text": 'Ahoy from Oak (&) Spoke: "wheels"'}]
    assert len(responses) > 100


@pytest.mark.parametrize(("text", "remedy"), [
    ("responses: {utter_gret: [{text: a}]}", "no response 'utter_gret'"),
    ("responses: {utter_greet: hello}", "must be a list"), ("responses: {utter_greet: []}", "of what is said"),
    ("responses: {utter_greet: [{txt: hi}]}", "of what is said"), ("responses: {utter_greet: [{text: ''}]}", "is said"),
    ("utter_greet: [{text: a}]", "responses:"),
    ("responses: [", "not valid YAML"),
])
def test_a_mistake_in_responses_is_named(oak: Path, tmp_path: Path, text: str, remedy: str) -> None:
    (oak / "responses.yml").write_text(text, encoding="utf-8")
    with pytest.raises(shop.ShopError, match=remedy):
        shop_folder.compose(oak, tmp_path / "state")


def test_the_demo_shop_adds_nothing_to_itself(tmp_path: Path) -> None:
    assert shop_folder.files(shop_folder.PROJECT_ROOT) == []
    assert shop_folder.compose(shop_folder.PROJECT_ROOT, tmp_path)[1] == [shop_folder.DATA]
