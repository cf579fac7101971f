"""What holds of any shop, on fixture shops: pages, questions, orders, and that nothing of the demo shop is theirs."""

from __future__ import annotations

import argparse
import json
import re
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

import settings
import shop
import yaml_files
from actions.knowledge.pages.documents import load_pages
from actions.knowledge.retrieval.embedding import E5
from actions.knowledge.retrieval.retriever import Retriever
from actions.orders.models import OrderStatus
from actions.orders.repository import OrderRepository
from actions.orders.rows import RowReader
from launch import demo_orders, shop_folder
from settings import PROJECT_ROOT
from workbench.__main__ import main
from workbench.shop_check import command, questions

HERE = Path(__file__).parent
SHOPS = ("linden_and_loom", "papel_de_seda")
WREN, RUI = "+447700900211", "+5513991234567"
EMBEDDER = E5()


@pytest.fixture(params=SHOPS)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SHOP_DIR, with a state of its own and no orders database."""
    monkeypatch.setenv("SHOP_DIR", str(HERE / request.param))
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("SETTINGS_COMPLETE", "1")
    monkeypatch.delenv("ORDERS_DATABASE_URL", raising=False)
    return HERE / request.param


def test_the_folder_has_no_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(argparse.Namespace(json=True, files=True), Console()) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["errors"], said["warnings"]) == (0, 0)
    assert said["shop"] == shop.load().name


@pytest.mark.slow
def test_its_questions_are_answered_from_its_pages_and_others_refused(folder: Path) -> None:
    find = Retriever(folder / "policy_kb", EMBEDDER, wait=True).find
    asked, wrong = questions.read(folder, None)
    assert not wrong
    *_, share = questions.asked(asked, find, None)
    assert share.level == "information", share.problem


def test_its_orders_are_imported_and_told_to_their_customer_alone(folder: Path) -> None:
    assert main(["orders", "import", str(folder / "orders.csv"), "--write"]) == 0
    ours = shop.load()
    reader = RowReader(ours.region, ours.time_zone, ours.orders["statuses"])
    orders = OrderRepository(str(settings.load().orders_database_url), reader)
    one, other = (WREN, RUI) if ours.region == "GB" else (RUI, WREN)
    first, second = orders.open_orders(one)
    assert (first.status, second.status) == (OrderStatus.SHIPPED, OrderStatus.PLACED)
    assert (first.estimated_delivery, bool(first.tracking_number)) == (date(2026, 12, 19), True)
    assert orders.find([first.number.lower()], one).keys() == {first.number.lower()}
    assert orders.all_orders(other) == []
    orders.close()


@pytest.mark.slow
def test_nothing_of_the_demo_shop_is_in_what_it_says_or_shows(folder: Path, tmp_path: Path) -> None:
    composed, data = shop_folder.compose(folder, tmp_path)
    said = yaml_files.read(composed)["responses"]
    demo = shop.read(PROJECT_ROOT)
    shown = json.dumps([said, demo_orders.samples()], default=str, ensure_ascii=False)
    assert shop.load().name in shown
    theirs = "|".join(map(re.escape, (demo.name, *map(str, demo.orders["id_examples"]))))
    assert not re.search(rf"{theirs}|₹|\bRs\b|\+91|\bIST\b|India|kurta|Delhivery|shoe", shown)
    assert not any(path.is_relative_to(PROJECT_ROOT / "policy_kb") for path in data)
    names = {page.stem for page in (PROJECT_ROOT / "policy_kb").glob("*.md")}
    assert names.isdisjoint(page.name for page in load_pages(folder / "policy_kb").pages)


def test_two_shops_under_one_state_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    places = set()
    for name in SHOPS:
        monkeypatch.setenv("SHOP_DIR", str(HERE / name))
        places.add((settings.load().state_path, settings.load().models_path, settings.load().orders_database_url))
    assert len(places) == len(SHOPS)
    assert len({place for _, place, _ in places}) == len(SHOPS)
