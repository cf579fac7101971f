"""docs/add-a-skill.md: what the page says is done in a copy of the project, and the assistant has the skill."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

import skills
from tests import children
from tests.known_pages import bring_pages
from tests.project_copies import bring_what_calls_a_person, copied, every_second_example_left_out
from workbench.checks.all_checks import file_findings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add-a-skill.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TALKS = r"""
- id: number
  kind: invoice
  orders: [OPEN, OPEN2]
  turns:
  - {say: "{OPEN:bare} ka bill bhej do", right: ['says (?=.*invoice).*OPEN'], ticket: no}
  - {say: "invoice for {OPEN2:bare} please", right: ['says (?=.*invoice).*OPEN2'], ticket: no}
- id: picked
  kind: invoice
  orders: [OPEN, OPEN2]
  turns:
  - {say: "can you send me the invoice", right: ['choose'], ticket: no}
  - {say: "the packed one", right: ['says (?=.*invoice).*OPEN2'], ticket: no}
- id: named
  kind: invoice
  orders: [OPEN, OPEN2]
  turns:
  - {say: "please send me the tax invoice", right: ['choose'], ticket: no}
  - {say: "{OPEN:bare}", right: ['says (?=.*invoice).*OPEN'], ticket: no}
  - {say: "{OPEN2:bare}", right: ['status OPEN2'], ticket: no}
- id: others
  kind: invoice
  orders: [OPEN]
  turns:
  - {say: "mail me the invoice of {OTHERS:bare}", right: ['refuses_order'], ticket: no}
- id: in_a_form
  kind: invoice
  orders: [OPEN, OPEN2]
  turns:
  - {say: "please cancel {OPEN2:bare}", right: ['confirms OPEN2'], ticket: no}
  - {say: "and send me the invoice for {OPEN:bare}", right: ['says (?=.*invoice).*OPEN'], ticket: no}
- id: in_between
  kind: invoice
  orders: [OPEN]
  turns:
  - {say: "where is {OPEN:bare}", right: ['status OPEN'], ticket: no}
  - {say: "and send me the bill for it", right: ['says (?=.*invoice).*OPEN'], ticket: no}
  - {say: "when will it come", right: ['status OPEN'], ticket: no}
"""


def blocks() -> Mapping[str, str]:
    """The page's code by the file that its first line names."""
    return MappingProxyType(dict(BLOCK.findall(PAGE)))


def add_to_sections(domain: str, block: str) -> str:
    """domain.yml with each part of the block at the end of the section of its name."""
    for name, part in re.findall(r"^(\w+):\n(.*?)(?=^\w+:$|\Z)", block, re.MULTILINE | re.DOTALL):
        section = re.search(rf"^{name}:\n(?:(?!# ====|\w+:).*\n)*", domain, re.MULTILINE)
        assert section, name
        domain = domain[: section.end()].rstrip("\n") + "\n" + part + "\n" + domain[section.end() :]
    return domain


def phrases_taken_out(copy: Path) -> None:
    """Each phrase that is named as under two intents goes from where it stood before."""
    ours = set(re.findall(r"^ +- (?!intent).*", blocks()["data/nlu/invoice_copy.yml"], re.MULTILINE))
    twice = [one for one in file_findings(copy) if one.kind == "two intents"]
    named = set(re.findall(r"data/nlu/[\w/]+\.yml", "\n".join(f"{one.place} {one.problem}" for one in twice)))
    for file in named - {"data/nlu/invoice_copy.yml"}:
        lines = (copy / file).read_text(encoding="utf-8").splitlines(keepends=True)
        (copy / file).write_text("".join(one for one in lines if one.rstrip("\n") not in ours), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project with the skill of the page."""
    folder = tmp_path_factory.mktemp("skill") / "project"
    copied(folder)
    for file, code in blocks().items():
        path = folder / file
        if file == "domain.yml":
            path.write_text(add_to_sections(path.read_text(encoding="utf-8"), code), encoding="utf-8")
        else:
            assert not path.exists(), f"{file} is there already"
            path.write_text(code, encoding="utf-8")
    phrases_taken_out(folder)
    yield folder
    shutil.rmtree(folder)


def run(copy: Path, *module: str, within_s: int) -> str:
    """Output of `python -m …` in the copy, with a state of its own."""
    state = copy.parent / "state"
    environment = {"STATE_DIR": str(state), "LLM_PROVIDER": "none", "PYTHONPATH": ""}
    done = children.ended(children.python("-m", *module), within_s, environment, cwd=copy)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_page_adds_an_action_a_rule_phrases_a_story_a_test_and_a_block_of_the_domain() -> None:
    assert set(blocks()) == {
        "domain.yml", "actions/invoice_copy.py", "data/rules/invoice_copy.yml", "data/nlu/invoice_copy.yml",
        "tests/stories/invoice_copy.yml", "tests/actions/test_invoice_copy.py",
    }  # fmt: skip


@pytest.mark.slow
def test_skill_of_the_page_has_no_mistakes_and_counts_as_a_skill(copy: Path) -> None:
    assert [f"{one.place} {one.problem}" for one in file_findings(copy)] == []
    added = skills.load(copy)
    assert added.counting("utter_invoice_copy_sent") == skills.Counting("invoice_copy", about="order")
    assert added.answers["ask_invoice_copy"] == "action_invoice_copy"
    assert added.intents["ask_invoice_copy"].takes == "order"


@pytest.mark.slow
def test_skill_of_the_page_passes_its_own_test_and_the_domains(copy: Path) -> None:
    rules = "tests/contracts/test_import_rules.py"  # of these, what an action can break
    run(copy, "pytest", "-q", "tests/actions/test_invoice_copy.py", "tests/contracts/test_domain.py",
        f"{rules}::test_package_imports_only_what_it_may[actions]", f"{rules}::test_place_runs_without_rasa[actions]",
        f"{rules}::test_no_module_comes_back_to_itself_through_its_imports", within_s=100)  # fmt: skip
    run(copy, "ruff", "check", "--no-cache", "actions/invoice_copy.py", "tests/actions/test_invoice_copy.py",
        within_s=30)  # fmt: skip


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_skill_of_the_page_is_learnt_and_talks(copy: Path, tmp_path: Path) -> None:
    every_second_example_left_out(copy, but="invoice_copy.yml")
    for file in copy.glob("tests/stories/*.yml"):
        if file.name != "invoice_copy.yml":
            file.unlink()
    bring_pages(copy.parent / "state", copy.resolve() / "policy_kb")
    bring_what_calls_a_person(copy, copy.parent / "state")
    run(copy, "launch", "train", within_s=600)
    assert ", 0 failed" in run(copy, "workbench", "stories", within_s=240)
    file = tmp_path / "talks.yml"
    file.write_text(with_numbers(TALKS), encoding="utf-8")
    told = run(copy, "workbench.dialogues", "--json", "--mistakes", str(file), within_s=240)
    sums = json.loads(next(line for line in told.splitlines() if line.startswith("{")))
    assert sums["right"] == sums["turns"], told


def with_numbers(talks: str) -> str:
    """`says …OPEN2` with the number that the dialogue at this place has."""
    from workbench.dialogues.shop import NAMES, numbers_of

    parts = re.split(r"(?=^- id)", talks, flags=re.MULTILINE)[1:]
    for index, part in enumerate(parts):
        for name in sorted(NAMES, key=len, reverse=True):
            part = re.sub(rf"(says [^']*){name}'", rf"\g<1>{numbers_of(index)[name]}'", part)
        parts[index] = part
    return "".join(parts)
