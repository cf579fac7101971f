"""A scenario as a designer writes it, and one made of what a customer just did.

    name: A question and its answer
    tells: one line for whoever chooses it
    customer: Asha Rao                    # one of the demo's
    steps:
    - says: where is my order?            # the customer types
    - reads: ["#10234", tomorrow]         # words that the replies to it must have, buttons included; "": any reply
    - hears_nothing: 2                    # seconds in which no reply may come
    - taps: Talk to a person              # a button or a row of a list
    - agent: Hello, I am here             # the newest ticket's agent writes to the customer
    - ticket: urgent                      # its priority, once it is there
    - solves: true                        # and is solved
    - breaks: {graph: 500, times: 2}      # Graph answers with this status; {webhooks: 2} delivers each twice
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twin.phone.chats import Chat, ChatMessage

FOLDER = Path(__file__).parent
STEPS = ("says", "reads", "hears_nothing", "taps", "agent", "ticket", "solves", "breaks")
MAX_RECORDED = 40


class ScriptInvalid(ValueError):
    """The file cannot be played; the message says where and why."""


@dataclass(frozen=True)
class Script:
    """One scenario. `steps` are (what, how)."""

    key: str
    name: str
    tells: str
    customer: str
    steps: tuple[tuple[str, Any], ...]


def scripts(folder: Path = FOLDER) -> list[Script]:
    """Every scenario, in order of file names. Raises ScriptInvalid."""
    return [read(path) for path in sorted(folder.glob("*.yml"))]


def read(path: Path) -> Script:
    """One file. Raises ScriptInvalid."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        steps = tuple(_step(path, number, step) for number, step in enumerate(content["steps"], 1))
        return Script(path.stem, str(content["name"]), str(content["tells"]), str(content["customer"]), steps)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ScriptInvalid(f"{path.name}: name, tells, customer and steps are needed ({error}).") from None


def _step(path: Path, number: int, step: Any) -> tuple[str, Any]:
    if not isinstance(step, dict) or len(step) != 1 or next(iter(step)) not in STEPS:
        raise ScriptInvalid(f"{path.name}, step {number}: write one of {', '.join(STEPS)}.")
    return next(iter(step.items()))


def recorded(chat: Chat) -> str:
    """YAML of what the customer did last, with the first line of each answer as what is expected."""
    steps: list[dict[str, Any]] = []
    for message in chat.messages[-MAX_RECORDED:]:
        if message.author == "customer":
            steps += _did(message)
        elif steps:
            first = words(message).split("\n")[0][:80]
            if "reads" in steps[-1]:
                steps[-1]["reads"].append(first)
            else:
                steps.append({"reads": [first]})
    content = {"name": "What I just did", "tells": "Recorded", "customer": chat.customer.name, "steps": steps}
    return str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120))


def _did(message: ChatMessage) -> Iterator[dict[str, Any]]:
    content = message.content
    if content["type"] == "text":
        yield {"says": content["text"]["body"]}
    elif content["type"] == "interactive":
        reply = content["interactive"].get("button_reply") or content["interactive"].get("list_reply") or {}
        yield {"taps": str(reply.get("title"))}


def words(message: ChatMessage) -> str:
    """What a customer can read of a message of the shop, buttons and rows included."""
    content = message.content[message.content["type"]]
    if message.content["type"] != "interactive":
        return str(content.get("body") or content.get("caption") or "") if isinstance(content, dict) else ""
    parts = [content["body"]["text"], *(option["title"] for option in options(message))]
    parameters = content["action"].get("parameters") or {}
    return "\n".join([*parts, *(str(parameters[name]) for name in ("display_text", "url") if name in parameters)])


def options(message: ChatMessage) -> list[dict[str, str]]:
    """Buttons and rows, each with `id` and `title`."""
    action = (message.content.get("interactive") or {}).get("action") or {}
    rows = [row for section in action.get("sections") or [] for row in section["rows"]]
    return [button["reply"] for button in action.get("buttons") or []] + rows
