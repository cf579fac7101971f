"""Test stories replayed with the trained model: what a story expects beside what happens, and what to do about it.

The replay is that of `rasa test core`: nothing an action does is carried out, slots are as the story says, and after a
wrong prediction the story goes on as written. Customers' words are read by the model as well, for the eye only: the
dialogue goes on with the intent that the story gives.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.language.policy import LANGUAGE, WISHED
from workbench.checks import yaml_lines
from workbench.console.decisions import sources
from workbench.nlu.phrases import PROJECT_ROOT, shown
from workbench.talk.agent import without_progress_bars

STORIES = PROJECT_ROOT / "tests" / "stories"
_LISTEN = "action_listen"


@dataclass(frozen=True)
class Note:
    """One prediction. `sources` are the rules or stories in data/ that it can have followed, with their places."""

    policy: str
    action: str
    sources: tuple[str, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    """What the policy itself sets, as the one that calls a person does."""


@dataclass(frozen=True)
class Step:
    """One line of a story. `note` is the prediction behind a wrong action, `intent` what the customer wanted then."""

    expected: str
    happened: str
    wrong: bool = False
    doubtful: bool = False
    """The model reads the customer's words otherwise; the story went on with its own intent."""
    note: Note | None = None
    intent: str = ""


@dataclass(frozen=True)
class Replay:
    """One story as it went."""

    name: str
    place: str
    steps: tuple[Step, ...]

    @property
    def failed(self) -> bool:
        return any(step.wrong for step in self.steps)


async def replay(agent: Any, folder: Path = STORIES) -> list[Replay]:
    """Every story under a folder, in order of files."""
    from rasa.core.test import _predict_tracker_actions
    from rasa.shared.core.generator import TrainingDataGenerator
    from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
    from rasa.shared.core.training_data.structures import StoryGraph

    predicted = _noted(agent.processor)
    found = []
    for path in _files(folder):
        places = yaml_lines.places(path, "stories", "story")
        graph = StoryGraph(YAMLStoryReader(agent.domain, str(path)).read_from_file(path))
        generator = TrainingDataGenerator(
            graph, agent.domain, use_story_concatenation=False, augmentation_factor=0, tracker_limit=None
        )
        with without_progress_bars():
            trackers = generator.generate_story_trackers()
        for tracker in trackers:
            predicted.clear()
            _, happened, _, _ = await _predict_tracker_actions(tracker, agent)
            steps = tuple([step async for step in _steps(agent, happened.events, predicted)])
            found.append(Replay(tracker.sender_id, places.get(tracker.sender_id, shown(path)), steps))
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.yml"))


def _noted(processor: Any) -> deque[Note]:
    """The predictions that `processor` makes from now on, in order, without their sources."""
    notes: deque[Note] = deque()
    predict = processor.predict_next_with_tracker_if_should

    def noting(tracker: Any) -> Any:
        action, prediction = predict(tracker)
        # The language is read from words, which `rasa test core` does not look at.
        slots = {event.key: event.value for event in prediction.events
                 if hasattr(event, "key") and event.key not in (LANGUAGE, WISHED)}  # fmt: skip
        notes.append(Note(str(prediction.policy_name), action.name(), slots=slots))
        return action, prediction

    processor.predict_next_with_tracker_if_should = noting
    return notes


async def _steps(agent: Any, events: Sequence[Any], predicted: deque[Note]) -> Any:
    from rasa.core.channels import UserMessage

    intent = loop = ""
    for event in events:
        kind = event.type_name
        if kind in ("user", "wrong_utterance"):
            intent = event.intent.get("name") or ""
            yield _said(event, await agent.processor.parse_message(UserMessage(event.text)) if event.text else None)
        elif kind in ("action", "wrong_action") and event.policy:
            yield _acted(event, predicted, intent, loop)
        elif kind == "slot" and event.key != "requested_slot":
            yield Step(f"slot {event.key} = {event.value}", "as the story says")
        elif kind == "active_loop":
            loop = event.name or ""
            yield Step(f"form {event.name or 'ends'}", "as the story says")


def _said(event: Any, parsed: dict[str, Any] | None) -> Step:
    wanted = str(event.intent.get("name"))
    if parsed is None:
        return Step(f"customer: {wanted}", "as the story says")
    read = parsed["intent"]
    numbers = "".join(f" #{entity['value']}" for entity in parsed.get("entities") or [])
    happened = f"{read['name']} {read['confidence']:.2f}{numbers}"
    return Step(f'customer: "{event.text}" ({wanted})', happened, doubtful=read["name"] != wanted)


def _acted(event: Any, predicted: deque[Note], intent: str, loop: str) -> Step:
    action = getattr(event, "action_name_prediction", None) or event.action_name
    while predicted and (predicted[0].policy, predicted[0].action) != (event.policy, action):
        predicted.popleft()
    slots = predicted.popleft().slots if predicted else {}
    note = Note(event.policy, action, tuple(sources(intent, action, str(event.policy), loop)), slots)
    by = f"{event.policy}: {' or '.join(note.sources)}" if note.sources else str(event.policy)
    told = "".join(f"\n{name} = {value}" for name, value in slots.items())
    return Step(_waits(event.action_name), f"{_waits(action)}\n({by}){told}", action != event.action_name,
                note=note, intent=intent)  # fmt: skip


def _waits(action: str) -> str:
    return "waits for the customer" if action == _LISTEN else action


def print_failures(replays: Sequence[Replay], console: Console) -> int:
    """Every failed story in two columns, with the remedy. Returns how many failed."""
    failed = [one for one in replays if one.failed]
    for one in failed:
        console.print(f"\n[bold red]✗[/] [bold]{escape(one.name)}[/]  {escape(one.place)}", soft_wrap=True)
        table = Table("", "expected", "happened", show_lines=False, pad_edge=False)
        for step in one.steps:
            if not step.wrong and step.expected == _waits(_LISTEN):
                continue
            mark, style = ("✗", "red") if step.wrong else ("≠", "yellow") if step.doubtful else ("", "")
            table.add_row(mark, escape(step.expected), escape(step.happened), style=style)
        if any(step.doubtful for step in one.steps):
            table.caption = "≠ the model reads these words otherwise; the story goes on with its own intent"
        console.print(table)
        for remedy in dict.fromkeys(_remedies(one)):
            console.print(f"Remedy: {escape(remedy)}", soft_wrap=True)
    console.print(f"\n{len(replays)} stories, {len(failed)} failed.")
    return len(failed)


def _remedies(one: Replay) -> Iterator[str]:
    """What to do about the first wrong step; later ones mostly follow from it."""
    step = next(step for step in one.steps if step.wrong)
    note = step.note
    if note is not None and note.policy == "EscalationPolicy":
        reason = note.slots.get("escalation_reason", "")
        yield f"a person is called here ({reason}): expect action_escalate in {one.place}, or change the words and " \
              "weights of EscalationPolicy in config.yml"  # fmt: skip
    elif note is not None and note.sources:
        yield f"{' or '.join(note.sources)} decides this: change it there, or expect it in {one.place}"
    elif note is not None and note.policy not in ("RulePolicy", "MemoizationPolicy"):
        yield f"{note.policy} in config.yml decides this, above all rules: expect it in {one.place}, or change it there"
    else:
        what = step.intent or "this"
        yield f"nothing in data/rules says what follows {what} here: write a rule, or correct {one.place}"
