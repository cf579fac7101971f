"""A chat in the terminal that shows what the assistant thinks: intents, who chose which action, slots, and the reply.

The dialogue is the real one with the newest model and the actions in this process; state lies in a temporary folder, so
nothing of a running assistant is touched and no ticket leaves the machine. Without an orders database it gets the
demo's.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import settings
from launch import demo_orders
from workbench.dialogues.play import agent_with_actions, metadata_of, say
from workbench.dialogues.run import use
from workbench.nlu.archives import newest_archive
from workbench.talk.agent import without_progress_bars
from workbench.talk.sources import Sources, named_places, training_trackers

_HIDDEN = ("action_listen", "action_session_start")

Behind = Callable[[str, str], str]
"""What stands behind a prediction, by policy and action: a rule with its place, or nothing."""


def chat(console: Console, phone: str) -> None:
    """Talk until an empty line, `quit` or the end of input. Raises NoTrainedModel."""
    archive = newest_archive()
    with tempfile.TemporaryDirectory() as state:
        use(state, _orders_url(state), llm=True)
        console.print(f"[dim]{archive.name}; you write as {phone}. An empty line ends the chat.[/]", soft_wrap=True)
        asyncio.run(_converse(console, archive, phone))


def _orders_url(state: str) -> str:
    """The configured orders database; the demo's orders while its file does not exist yet."""
    url = str(settings.load().orders_database_url)
    if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists():
        return url
    demo_orders.seed(f"sqlite:///{state}/orders.db", date.today())
    return f"sqlite:///{state}/orders.db"


async def _converse(console: Console, archive: Path, phone: str) -> None:
    agent = agent_with_actions(archive)
    with without_progress_bars():
        sources = Sources(training_trackers(agent.domain), agent.domain)
    places = named_places()
    seen, slots = 0, dict[str, Any]()
    while text := await asyncio.to_thread(_ask, console):
        with sources.noting():
            events = await say(agent, phone, text, metadata_of(text, phone))
        for line in explain(events[seen:], _behind(sources, places), slots):
            console.print(line, soft_wrap=True)
        seen = len(events)


def explain(
    events: list[dict[str, Any]], behind: Behind = lambda policy, action: "", slots: dict[str, Any] | None = None
) -> Iterator[str]:
    """One turn's events as lines of rich markup. `slots` holds the values before; it is brought up to date."""
    known = {} if slots is None else slots
    said: list[str] = []  # an action's reply, shown below the slots that it sets
    for event in events:
        if event["event"] == "user":
            yield _understood(event.get("parse_data") or {})
        elif event["event"] == "action":
            yield from said
            said = []
            chosen_by = _chosen_by(event, behind)
            if event.get("name") not in _HIDDEN:
                yield f"[dim]  {escape(chosen_by)} → [/][cyan]{escape(str(event.get('name')))}[/]"
        elif event["event"] == "slot":
            before, after = known.get(event["name"]), event.get("value")
            known[event["name"]] = after
            if before != after:
                yield f"[dim]  {escape(event['name'])}: {_value(before)} → {_value(after)}[/]"
        elif event["event"] == "bot":
            said += _reply(event)
    yield from said


def _reply(event: Mapping[str, Any]) -> Iterator[str]:
    yield f"[green]{escape(event.get('text') or '')}[/]"
    for button in (event.get("data") or {}).get("buttons") or []:
        yield f"[green]  {escape('[' + button['title'] + ']')}[/]"


def _chosen_by(event: Mapping[str, Any], behind: Behind) -> str:
    """`RulePolicy 1.00, "Customer greets" (data/rules/general.yml:5)`, or what else led to an action."""
    if not event.get("policy"):
        return "form"
    confidence = f" {event['confidence']:.2f}" if event.get("confidence") is not None else ""
    source = behind(str(event["policy"]), str(event.get("name")))
    return f"{event['policy']}{confidence}{', ' + source if source else ''}"


def _behind(sources: Sources, places: Mapping[str, str]) -> Behind:
    def described(policy: str, action: str) -> str:
        note = sources.behind(policy, action)
        if note is None or not note.source:
            return ""
        return " or ".join(
            f'"{name}" ({places[name]})' if name in places else name for name in note.source.split(" / ")
        )

    return described


def _value(value: Any) -> str:
    return "–" if value is None else escape(str(value)[:100])


def _understood(parsed: Mapping[str, Any]) -> str:
    ranking = ", ".join(f"{i['name']} {i['confidence']:.2f}" for i in parsed.get("intent_ranking", [])[:3])
    numbers = " ".join(f"#{entity['value']}" for entity in parsed.get("entities", []))
    return f"[dim]  {escape(ranking)} {escape(numbers)}[/]".rstrip()


def _ask(console: Console) -> str:
    try:
        text = console.input("[bold]> [/]").strip()
    except EOFError:
        return ""
    return "" if text == "quit" else text

