"""domain.yml: responses that say nothing or do not fit WhatsApp, buttons that lead nowhere, forms that cannot ask."""

import json
from collections.abc import Iterator
from typing import Any

from actions.confirmation import yes_can_press
from connectors.whatsapp.rendering import bodies
from connectors.whatsapp.rendering.messages import problems
from workbench.checks.findings import Finding, mistake, nearest
from workbench.checks.project import Project
from workbench.checks.yaml_lines import Block

_CONTENT = ("text", "custom", "image", "attachment")
_KEYS = (*_CONTENT, "buttons", "quick_replies", "elements", "condition", "channel", "metadata", "id", "list_button",
         "quote")  # fmt: skip


def domain_findings(project: Project) -> list[Finding]:
    """Everything wrong with the domain itself."""
    found = []
    responses = project.section("responses")
    for name, variants in responses.items():
        line = responses.line_of(name)
        if not name.startswith("utter_"):
            found.append(mistake("unknown response", line, f"{name} is not the name of a response",
                                 "call it utter_<topic>_<outcome>"))  # fmt: skip
        if not isinstance(variants, list) or not variants:
            found.append(mistake("response without text", line, f"{name} has no variant", "write `- text: …` below it"))
            continue
        for variant in variants:
            found += _variant(project, name, line, variant)
    return [*found, *_forms(project), *_slots(project)]


def _variant(project: Project, name: str, line: int, variant: Any) -> Iterator[Finding]:
    if not isinstance(variant, Block):
        yield mistake("wrong indentation", line, f"{name} has a variant that is not an entry", "write `- text: …`")
        return
    for key in variant:
        if key not in _KEYS:
            remedy = nearest(key, _KEYS, "remove it, or indent it as part of what it belongs to")
            yield mistake("unknown key", variant.line_of(key), f"{name}: {key!r} means nothing here", remedy)
    if not any(str(variant.get(key) or "").strip() for key in _CONTENT):
        yield mistake("response without text", variant.line, f"{name} says nothing", "write `- text: …`")
    text = str(variant.get("text") or "")
    if len(text) > bodies.TEXT_CHARS:
        yield mistake("too long for WhatsApp", variant.line_of("text"),
                      f"{name}: the text exceeds {bodies.TEXT_CHARS} characters", "shorten or split it")  # fmt: skip
    buttons = variant.get("buttons") or []
    if not isinstance(buttons, list) or not all(isinstance(button, Block) for button in buttons):
        yield mistake("wrong indentation", variant.line_of("buttons"), f"{name}: the buttons are not a list",
                      "write `- {title: …, payload: /…}` below `buttons:`")  # fmt: skip
        return
    yield from _limits(name, variant, buttons)
    yield from _offer(name, buttons)
    for button in buttons:
        yield from _button(project, name, button)


def _offer(name: str, buttons: list[Block]) -> Iterator[Finding]:
    """A yes-or-no question has a button /deny; "yes" in words means its first one, which an action must know."""
    payloads = [str(button.get("payload") or "") for button in buttons]
    if "/deny" not in payloads:
        return
    intent = payloads[0].removeprefix("/").partition("{")[0]
    if not yes_can_press(intent):
        yield mistake("offer that nothing answers", buttons[0].line,
                      f"{name}: a customer who types yes means {payloads[0]}, which action_affirm cannot do",
                      "let the first button be /request_human, or an intent whose rule is answered by a response, or "
                      "by an action that only tells something")  # fmt: skip


def _limits(name: str, variant: Block, buttons: list[Block]) -> Iterator[Finding]:
    for problem in problems(variant):
        at = next((button.line for button in buttons if repr(button.get("title")) in problem), variant.line)
        remedy = "give each its own title" if "twice" in problem else "shorten it"
        yield mistake("does not fit WhatsApp", at, f"{name}: {problem}", remedy)
    if bodies.BUTTONS < len(buttons) <= bodies.ROWS:
        yield mistake("does not fit WhatsApp", variant.line_of("buttons"),
                      f"{name}: {len(buttons)} buttons; WhatsApp shows {bodies.BUTTONS} at the most",
                      "leave some out: lists come from actions")  # fmt: skip


def _button(project: Project, name: str, button: Block) -> Iterator[Finding]:
    title, payload = str(button.get("title") or "").strip(), str(button.get("payload") or "").strip()
    if not title:
        yield mistake("button without title", button.line, f"{name}: a button has no title", "write what it says")
    if button.get("url"):
        return
    if not payload.startswith("/"):
        yield mistake("button leads nowhere", button.line, f"{name}: the button {title!r} has no payload `/intent`",
                      "write the intent that pressing it means, such as /request_human")  # fmt: skip
        return
    intent, brace, values = payload[1:].partition("{")
    if intent not in project.names("intents"):
        remedy = nearest(intent, project.names("intents"), "take an intent of domain.yml")
        problem = f"{name}: the button {title!r} has the unknown intent {intent}"
        yield mistake("button leads nowhere", button.line, problem, remedy)
    if brace:
        yield from _values(project, name, button, brace + values)


def _values(project: Project, name: str, button: Block, written: str) -> Iterator[Finding]:
    try:
        values = json.loads(written.replace("{{", "{").replace("}}", "}"))  # doubled: no placeholder, says Rasa
    except ValueError:
        yield mistake("button leads nowhere", button.line, f"{name}: {written} in a payload is not JSON",
                      'write it like {"order_number": "10234"}')  # fmt: skip
        return
    for entity in values:
        if entity not in project.names("entities"):
            remedy = nearest(entity, project.names("entities"), "add it under `entities`")
            yield mistake("unknown entity", button.line, f"{name}: a payload gives the unknown entity {entity}", remedy)


def _forms(project: Project) -> Iterator[Finding]:
    forms = project.section("forms")
    for form, content in forms.items():
        for slot in (content or {}).get("required_slots") or []:
            if slot not in project.names("slots"):
                remedy = nearest(slot, project.names("slots"), "add it under `slots`")
                yield mistake("unknown slot", forms.line_of(form), f"{form} asks for the unknown slot {slot}", remedy)
            asks = [f"{kind}_ask_{rest}" for kind in ("utter", "action") for rest in (f"{form}_{slot}", slot)]
            if not {*asks} & {*project.names("responses"), *project.names("actions")}:
                yield mistake("missing response", forms.line_of(form), f"{form} has no words to ask for {slot}",
                              f"add the response utter_ask_{slot}")  # fmt: skip


def _slots(project: Project) -> Iterator[Finding]:
    slots = project.section("slots")
    for slot, content in slots.items():
        for mapping in (content or {}).get("mappings") or []:
            for kind, section in (("intent", "intents"), ("entity", "entities")):
                name = mapping.get(kind) if isinstance(mapping, Block) else None
                if isinstance(name, str) and name not in project.names(section):
                    remedy = nearest(name, project.names(section), f"add it under `{section}`")
                    yield mistake(f"unknown {kind}", mapping.line, f"the slot {slot} is filled from {name}", remedy)
