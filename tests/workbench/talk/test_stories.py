"""A failing story beside what happened, and the names of the rules behind predictions."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from workbench.nlu.archives import newest_archive
from workbench.talk.stories import Note, Replay, Step, print_failures, replay

STORIES = """version: "3.1"
stories:
- story: Customer says hello and leaves
  steps:
  - user: |
      hello there
    intent: greet
  - action: utter_greet
  - intent: goodbye
  - action: utter_goodbye

- story: Customer says thank you and is misread
  steps:
  - user: |
      thank you, that was quick
    intent: thank
  - action: utter_goodbye

- story: Customer threatens and nobody comes
  steps:
  - user: |
      this is fraud, see you in consumer court
    intent: file_complaint
  - action: utter_handoff_offer
"""


def printed(replays: list[Replay]) -> str:
    console = Console(record=True, width=160)
    print_failures(replays, console)
    return console.export_text()


def failing(note: Note | None) -> Replay:
    steps = (
        Step('customer: "bye [b]" (goodbye)', "deny 0.61", doubtful=True),
        Step("utter_goodbye", "utter_deny_ok", wrong=True, note=note, intent="goodbye"),
    )
    return Replay("A story", "tests/stories/general.yml:7", steps)


def test_only_failed_stories_are_shown_and_all_are_counted() -> None:
    good = Replay("A good story", "tests/stories/general.yml:1", (Step("utter_greet", "utter_greet"),))
    shown = printed([good, failing(None)])
    assert "A good story" not in shown
    assert "A story  tests/stories/general.yml:7" in shown
    assert "2 stories, 1 failed." in shown
    assert "bye [b]" in shown
    assert "reads these words otherwise" in shown


@pytest.mark.parametrize(
    ("note", "remedy"),
    [
        (Note("RulePolicy", "utter_deny_ok", ("“Says no” (rules.yml:9)",)), "“Says no” (rules.yml:9) decides this"),
        (
            Note("EscalationPolicy", "action_escalate", slots={"escalation_reason": "complaint"}),
            "a person is called here (complaint): expect action_escalate in tests/stories/general.yml:7",
        ),
        (Note("LanguagePolicy", "action_change_language"), "LanguagePolicy in config.yml decides this"),
        (Note("RulePolicy", "action_default_fallback"), "nothing in data/rules says what follows goodbye here"),
        (None, "nothing in data/rules says what follows goodbye here"),
    ],
)
def test_the_remedy_names_what_decided(note: Note | None, remedy: str) -> None:
    assert remedy in printed([failing(note)])


@pytest.mark.model
@pytest.mark.timeout(400)
async def test_broken_stories_are_replayed_with_the_rule_and_the_reason_beside(tmp_path: Path) -> None:
    from workbench.talk.agent import load_agent

    (tmp_path / "broken.yml").write_text(STORIES)
    replays = await replay(load_agent(newest_archive()), tmp_path)
    by_name = {one.name: one for one in replays}
    hello, thanks, threat = (by_name[f"Customer {what}"] for what in (
        "says hello and leaves", "says thank you and is misread", "threatens and nobody comes"))  # fmt: skip
    assert [one.failed for one in (hello, thanks, threat)] == [False, True, True]
    assert "(RulePolicy: “Customer greets” (data/rules/general.yml:" in hello.steps[1].happened
    wrong = next(step for step in thanks.steps if step.wrong)
    assert wrong.expected == "utter_goodbye"
    assert wrong.happened.startswith("utter_thank_welcome\n(RulePolicy: “Customer says thank you” (data/rules/")
    called = next(step for step in threat.steps if step.wrong)
    assert called.happened.startswith("action_escalate\n(EscalationPolicy)\nescalation_reason = complaint")
    shown = printed(replays)
    assert f"{tmp_path}/broken.yml:12" in shown
    assert "“Customer says thank you” (data/rules/general.yml:" in shown
    assert "3 stories, 2 failed." in shown
