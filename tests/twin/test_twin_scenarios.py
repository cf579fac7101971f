"""Scenarios: what they may say, how they play against an assistant that answers on cue, and what is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import yaml_files
from launch import demo_orders
from tests.twin.standin import Assistant, RunningTwin, running_twin
from twin.scenarios import script
from twin.scenarios.script import ScriptInvalid

NAMES = {customer.name for customer in demo_orders.CUSTOMERS}


async def answer(assistant: Assistant, message: dict[str, Any]) -> None:
    body = message.get("text", {}).get("body", "")
    choices = [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]
    interactive = {"type": "button", "body": {"text": f"echo {body}"}, "action": {"buttons": choices}}
    if body != "silence":
        await assistant.send({"to": message["from"], "type": "interactive", "interactive": interactive})


def test_every_scenario_can_be_read_and_is_of_a_demo_customer() -> None:
    found = script.scripts()
    assert len(found) >= 6
    assert {one.customer for one in found} <= NAMES


@pytest.mark.parametrize("text", ["", "name: x", "name: x\ntells: y\ncustomer: z\nsteps: [{dances: 1}]", "{"])
def test_a_mistake_in_a_scenario_is_named_with_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(ScriptInvalid, match=r"bad\.yml"):
        script.scripts(tmp_path)


async def play(twin: RunningTwin, monkeypatch: pytest.MonkeyPatch, folder: Path, *steps: dict[str, Any]) -> Any:
    content = {"name": "Mine", "tells": "x", "customer": "+919876543210", "steps": list(steps)}
    (folder / "mine.yml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr("twin.scenarios.routes.scripts", lambda: script.scripts(folder))
    status, played = await twin.post("/scenarios/mine/play", speed=0, wait=True)
    assert status == 200
    return played


async def test_steps_are_ticked_and_the_one_that_does_not_hold_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_twin(tmp_path / "state", answer) as twin:
        folder = tmp_path
        held = await play(
            twin, monkeypatch, folder, {"breaks": {"webhooks": 2}}, {"says": "hi"}, {"reads": ["ECHO hi", "Yes"]},
            {"taps": "Yes"}, {"reads": "echo"}, {"says": "silence"}, {"hears_nothing": 0.1},
        )  # fmt: skip
        assert ([step[2] for step in held["steps"]], held["problem"]) == ([True] * 7, "")
        assert twin.network.habits.copies == 1, "a scenario leaves nothing broken behind"
        monkeypatch.setattr("twin.scenarios.player.ANSWER_WITHIN_S", 2.0)
        failed = await play(twin, monkeypatch, folder, {"says": "hi"}, {"reads": "bye"}, {"says": "never"})
        assert [step[2] for step in failed["steps"]] == [True, False, None]
        assert "'bye'; what came: echo hi" in failed["problem"]
        recorded = yaml_files.parsed((await twin.get("/scenarios/record?customer=919876543210"))["yaml"])
        assert recorded["steps"] == [{"says": "hi"}, {"reads": ["echo hi"]}]
