"""docs/new-shop.md, followed word for word: a folder, pages, questions and a table become a shop that answers.

In a copy of the project, which learns from fewer examples.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import settings
from tests import children
from tests.project_copies import bring_what_calls_a_person, copied, every_second_example_left_out

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "new-shop.md").read_text(encoding="utf-8")
PAGE = """<html><head><title>Delivery</title></head><body><nav>Home</nav><main><h1>Delivery</h1>
<h2>What delivery costs</h2><p>Delivery costs £4.85. From £70 on it is free.</p>
<h2>How long it takes</h2><p>Three working days within Britain.</p></main></body></html>"""
WORDS = "Saddles\n\nWhat we repair\n\nWe sew torn saddles within two weeks. Bring yours, we call you when it is done.\n"
TABLE = """CREATE TABLE orders (order_id text PRIMARY KEY, customer_name text, customer_phone text, status text,
  estimated_delivery date, carrier text, tracking_number text, tracking_url text);
INSERT INTO orders VALUES ('WC-1001','Nora','07700 900123','wc-processing',NULL,NULL,NULL,NULL),
  ('WC-20455','Ivo','+447700900124','wc-completed','2026-11-20','Fell Post','FP1',NULL)"""


def blocks(kind: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.M | re.S)
    return [text for name, text in fenced if name == kind]


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The shop's table, with what step 5 says done to it; the address as the assistant's own role."""
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", future=True)
    with engine.connect() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(blocks("sql")[0])
        yield sa.engine.make_url(postgres_url).set(username="assistant").render_as_string(hide_password=False)
        connection.exec_driver_sql("DROP OWNED BY assistant")
        connection.exec_driver_sql("DROP ROLE assistant")
    engine.dispose()


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(900)
def test_who_follows_the_guide_has_a_shop_that_answers(tmp_path: Path, database: str) -> None:
    oak, state, project = tmp_path / "oak", tmp_path / "state", copied(tmp_path / "project")
    (project / ".venv").symlink_to(sys.prefix)
    every_second_example_left_out(project)
    environment = {"STATE_DIR": str(state), "SETTINGS_COMPLETE": "1", "SHOP_DIR": "", "LLM_PROVIDER": ""}
    of_shop = settings.load({"STATE_DIR": str(state), "SHOP_DIR": str(oak)}, env_file=tmp_path / "none")
    bring_what_calls_a_person(project, of_shop.state_path)

    def run(command: str, **more: str) -> subprocess.CompletedProcess[str]:
        # What `make setup` would install is there, and is everybody's.
        written = command.replace("../oak", str(oak)).replace("make ", "make -o setup ")
        return children.ended(["bash", "-c", written], 600, environment | more, cwd=project)

    begin, check, serve = blocks("sh")
    assert run(begin).returncode == 0
    shop_yml = oak / "shop.yml"
    shop_yml.write_text(shop_yml.read_text(encoding="utf-8").replace("Oak & Spoke", "Bramble Cycles"), encoding="utf-8")
    for page in (oak / "policy_kb").iterdir():
        page.unlink()
    (oak / "policy_kb" / "delivery.html").write_text(PAGE, encoding="utf-8")
    (oak / "policy_kb" / "saddles.txt").write_text(WORDS, encoding="utf-8")
    (oak / "questions.tsv").write_text(blocks("")[0], encoding="utf-8")

    checked = run(check.replace("postgresql://assistant:...@127.0.0.1/shop", database))
    assert "0 errors" in checked.stdout, checked.stdout + checked.stderr[-2000:]
    assert checked.returncode == 0
    assert "3 of 3 questions are answered right" in checked.stdout
    assert [line.rpartition(" ")[2] for line in serve.splitlines()] == ["run", "serve"]

    said = tmp_path / "said"
    said.write_text("hello\nwhere is my order\nwc 20455\nhow much is delivery\n\n", encoding="utf-8")
    of_oak = environment | {"SHOP_DIR": str(oak), "ORDERS_DATABASE_URL": database}
    with said.open(encoding="utf-8") as typed:
        command = children.python("-m", "workbench", "chat", "--phone", "+447700900123")
        talked = children.ended(command, 300, of_oak, stdin=typed, cwd=project).stdout
    assert "Bramble Cycles" in talked
    assert "WC-1001" in talked
    assert "can't find order WC-20455" in talked, "it is another customer's"
    assert "£4.85" in talked
    assert not re.search("Marigold|₹|kurta", talked)
