"""What the LLM did is counted by provider and outcome, and the Rasa server's `/metrics` shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from actions.llm import metrics
from actions.llm.client import Usage
from settings import PROJECT_ROOT

IN_THE_ACTION_SERVER = """
from actions.llm import metrics
from actions.llm.client import Usage
metrics.count("anthropic", metrics.ANSWERING, "grounded", 1.2, Usage(900, 40))
"""
IN_THE_RASA_SERVER = "import exposition; print(exposition.of_processes().decode())"


def python(code: str, folder: Path) -> str:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True,
        timeout=60,
    ).stdout


@pytest.mark.slow
def test_the_rasa_server_shows_what_the_action_servers_count(tmp_path: Path) -> None:
    python(IN_THE_ACTION_SERVER, tmp_path)
    python(IN_THE_ACTION_SERVER, tmp_path)
    text = python(IN_THE_RASA_SERVER, tmp_path)
    call = 'outcome="grounded",provider="anthropic",purpose="policy_answer"'
    assert f"assistant_llm_calls_total{{{call}}} 2.0" in text
    assert 'assistant_llm_seconds_count{provider="anthropic",purpose="policy_answer"} 2.0' in text
    assert 'direction="in",provider="anthropic",purpose="policy_answer"} 1800.0' in text


@pytest.mark.parametrize(("reason", "outcome"), [
    ("timeout", "timeout"), ("refusal", "refusal"), ("wrong_citation", "rejected"), ("status_500", "error"),
    ("malformed", "error"), ("unreachable", "error"), ("read", "read"), ("impossible", "rejected"),
    ("wrong_command", "rejected"), ("unclear", "unclear"),
])
def test_outcomes_are_a_closed_list(reason: str, outcome: str) -> None:
    assert metrics.outcome_of(reason) == outcome


def test_a_call_counts_once_with_its_tokens() -> None:
    def sample(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"provider": "p", "purpose": "reading", **labels}) or 0.0

    metrics.count("p", metrics.READING, "read", 0.4, Usage(100, 5))
    assert sample("assistant_llm_calls_total", outcome="read") == 1
    assert sample("assistant_llm_tokens_total", direction="out") == 5
    assert sample("assistant_llm_seconds_sum") == pytest.approx(0.4)
