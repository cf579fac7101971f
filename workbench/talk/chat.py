"""A chat in the terminal that shows what the assistant thinks: intents, who chose which action, slots, and the reply.

The dialogue is the real one with the newest model and the actions in this process; state lies in a temporary folder, so
nothing of a running assistant is touched and no ticket leaves the machine. Without an orders database it gets the
demo's.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import settings
from launch import demo_orders
from workbench.console.decisions import sources
from workbench.console.journey import HIDDEN_ACTIONS, LOOP, Sources
from workbench.dialogues.play import agent_with_actions, metadata_of, say
from workbench.dialogues.run import use
from workbench.nlu.archives import newest_archive


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
    seen, slots = 0, dict[str, Any]()
    while text := await asyncio.to_thread(_ask, console):
        events = await say(agent, phone, text, metadata_of(text, phone))
        for line in explain(events[seen:], slots):
            console.print(line, soft_wrap=True)
        seen = len(events)


def explain(
    events: list[dict[str, Any]], slots: dict[str, Any] | None = None, behind: Sources = sources
) -> Iterator[str]:
    """One turn's events as lines of rich markup. `slots` holds the values before; it is brought up to date."""
    known = {} if slots is None else slots
    intent, loop = "", str(known.get(LOOP) or "")
    said: list[str] = []  # an action's reply, shown below the slots that it sets
    for event in events:
        if event["event"] == "user":
            parsed = event.get("parse_data") or {}
            intent = str((parsed.get("intent") or {}).get("name") or "")
            yield _understood(parsed)
        elif event["event"] == "action":
            yield from said
            said = []
            if event.get("name") not in HIDDEN_ACTIONS:
                yield f"[dim]  {escape(_chosen_by(event, intent, loop, behind))} → [/][cyan]{escape(event['name'])}[/]"
        elif event["event"] == "active_loop":
            known[LOOP] = event.get("name")
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


def _chosen_by(event: Mapping[str, Any], intent: str, loop: str, behind: Sources) -> str:
    """`RulePolicy 1.00, “Customer greets” (data/rules/general.yml:5)`, or what else led to an action."""
    if not event.get("policy"):
        return "form"
    confidence = f" {event['confidence']:.2f}" if event.get("confidence") is not None else ""
    found = " or ".join(behind(intent, event["name"], str(event["policy"]), loop))
    return f"{event['policy']}{confidence}{', ' + found if found else ''}"


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

