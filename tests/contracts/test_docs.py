"""The manual stays honest: its targets, commands, files and links exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import settings
from tests.children import ended
from tests.known_pages import embed_pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page.name: page.read_text() for page in PAGES}
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", sorted(TEXT))
def test_every_make_target_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"`make ([a-z-]+)", TEXT[page]))
    named |= set(re.findall(r"^make ([a-z-]+)", TEXT[page], re.MULTILINE))
    assert named <= TARGETS


@pytest.mark.parametrize("page", sorted(TEXT))
def test_every_link_leads_somewhere(page: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", TEXT[page]):
        if "://" not in target:
            assert (folder / target).exists(), target


@pytest.mark.parametrize("page", sorted(TEXT))
def test_every_variable_that_is_named_is_a_setting(page: str) -> None:
    prefixes = r"WHATSAPP_|ZENDESK_|FRESHDESK_|HUBSPOT_|CHATWOOT_|LLM_|ANTHROPIC_|OPENAI_|RASA_|SMTP_|SLACK_|"
    prefixes += "[A-Z_]+_DATABASE_URL"
    named = set(re.findall(rf"`((?:{prefixes})[A-Z_]*)`", TEXT[page]))
    known = {variable.name for variable in settings.VARIABLES}
    assert {name for name in named if not name.endswith("_")} <= known


def test_makefile_lists_every_target() -> None:
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True,
                            timeout=60).stdout
    for target in TARGETS:
        assert f"make {target}" in listed


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    assert "make test" in TEXT["README.md"]
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"


def test_readme_is_short_enough_to_be_read() -> None:
    assert len(TEXT["README.md"].splitlines()) <= 250


def documented_pipes() -> list[str]:
    return sorted({line for text in TEXT.values() for line in re.findall(r"^echo '.*", text, re.MULTILINE)})


@pytest.mark.model  # with one that is not today's, what calls a person is learnt anew: half a minute of a processor
@pytest.mark.timeout(300)
@pytest.mark.parametrize("line", documented_pipes())
def test_documented_adapter_answers_with_one_json_line(line: str) -> None:
    embed_pages()
    result = ended(["bash", "-c", line], 240)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert isinstance(json.loads(result.stdout), dict)


@pytest.mark.slow
def test_documented_log_commands_exist() -> None:
    named = set(re.findall(r"-m conversation_log ([a-z|]+)", "\n".join(TEXT.values())))
    commands = {command for group in named for command in group.split("|")}
    helped = subprocess.run([".venv/bin/python", "-m", "conversation_log", "--help"], cwd=ROOT, capture_output=True,
                            text=True, timeout=60).stdout
    for command in commands:
        assert command in helped
