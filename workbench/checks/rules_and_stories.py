"""Rules and stories: steps that are none, names that the domain does not know, rules that contradict each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from workbench.checks.findings import Finding, nearest
from workbench.checks.project import Entry, Project
from workbench.checks.yaml_lines import Block

_OF_RASA = frozenset(
    (
        *("action_listen", "action_restart", "action_session_start", "action_default_fallback", "action_back"),
        *("action_deactivate_loop", "action_revert_fallback_events", "action_default_ask_affirmation"),
        *("action_default_ask_rephrase", "action_two_stage_fallback", "action_unlikely_intent", "action_send_text"),
        *("action_extract_slots", "action_validate_slot_mappings"),
    )
)
_HEAD = {
    "rule": ("rule", "steps", "condition", "conversation_start", "wait_for_user_input", "metadata"),
    "story": ("story", "steps", "metadata"),
}
_KINDS = ("intent", "user", "action", "slot_was_set", "active_loop", "or", "checkpoint", "bot")
_WITH_INTENT = ("intent", "user", "entities", "metadata")

Beginning = tuple[Any, ...]


def dialogue_findings(project: Project) -> list[Finding]:
    """Everything wrong with data/rules, data/stories and tests/stories."""
    checker = _Checker(project)
    found = [one for entry in project.rules for one in checker.entry(entry, "rule")]
    found += [one for entry in project.stories for one in checker.entry(entry, "story")]
    found += _named_twice(project.rules, "rule")
    found += _named_twice(project.stories, "story")
    return found or contradicting_rules(project.rules)


@dataclass(frozen=True)
class _Checker:
    project: Project

    def entry(self, entry: Entry, kind: str) -> Iterator[Finding]:
        block = entry.block
        for key in block:
            if key not in _HEAD[kind]:
                remedy = nearest(key, _HEAD[kind], "indent it like the steps, or remove it")
                yield entry.wrong("wrong indentation", block.line_of(key), f"{key!r} does not belong here", remedy)
        if not str(block.get(kind) or "").strip():
            yield entry.wrong("no name", block.line, f"this {kind} has no name", f"begin it with `- {kind}: …`")
        steps = block.get("steps")
        if not isinstance(steps, list) or not steps:
            yield entry.wrong("no steps", block.line_of("steps"), f"this {kind} has no steps",
                              "write `steps:` and below it lines that begin with `- `")  # fmt: skip
            return
        condition = block.get("condition") or []
        for step in [*(condition if isinstance(condition, list) else [condition]), *steps]:
            yield from self._step(entry, step)

    def _step(self, entry: Entry, step: Any) -> Iterator[Finding]:
        if not isinstance(step, Block):
            yield entry.wrong("wrong indentation", entry.block.line_of("steps"), f"{str(step)[:60]!r} is not a step",
                              "write `- intent: …` or `- action: …`")  # fmt: skip
            return
        kinds = [key for key in step if key in _KINDS]
        allowed = _WITH_INTENT if {"intent", "user"} & set(kinds) else tuple(kinds[:1])
        for key in step:
            if key not in allowed:
                two = key in _KINDS and bool(kinds)
                problem = f"{key!r} is in the step of {kinds[0]!r}" if two else f"{key!r} is not a kind of step"
                remedy = "write `- ` before it: every step is an entry" if two else nearest(
                    key, (*_KINDS, "entities"), f"the kinds are {', '.join(_KINDS)}")  # fmt: skip
                yield entry.wrong("wrong indentation" if two else "unknown step", step.line_of(key), problem, remedy)
        for alternative in step.get("or") or []:
            yield from self._step(entry, alternative)
        yield from self._names(entry, step)

    def _names(self, entry: Entry, step: Block) -> Iterator[Finding]:
        project = self.project
        if step.get("intent") is not None:
            intent = str(step["intent"]).split("{")[0]
            yield from _unknown(entry, step, "intent", intent, project.names("intents"),
                                "add it under `intents` in domain.yml, with phrases in data/nlu")  # fmt: skip
        for name in _keys(step.get("entities")):
            yield from _unknown(entry, step, "entity", name, project.names("entities"), "add it to domain.yml")
        for name in _keys(step.get("slot_was_set")):
            slots = [*project.names("slots"), "requested_slot"]
            yield from _unknown(entry, step, "slot", name, slots, "add it under `slots` in domain.yml")
        if step.get("active_loop"):
            yield from _unknown(entry, step, "form", str(step["active_loop"]), project.names("forms"),
                                "add it under `forms` in domain.yml")  # fmt: skip
        if step.get("action"):
            yield from self._action(entry, step, str(step["action"]))

    def _action(self, entry: Entry, step: Block, name: str) -> Iterator[Finding]:
        responses = self.project.names("responses")
        if name.startswith("utter_"):
            yield from _unknown(entry, step, "response", name, responses, "add it under `responses` in domain.yml")
        elif name not in _OF_RASA:
            actions = [*self.project.names("actions"), *self.project.names("forms")]
            otherwise = "ask an engineer for it: actions are code, and are listed under `actions` in domain.yml"
            yield from _unknown(entry, step, "action", name, actions, otherwise)


def contradicting_rules(rules: tuple[Entry, ...]) -> list[Finding]:
    """Rules with the same conditions and beginning, of which one does this next and the other that."""
    known: dict[Beginning, tuple[str, Entry]] = {}
    findings = []
    for entry in rules:
        for beginning, (action, line) in _continuations(entry.block).items():
            first, other = known.setdefault(beginning, (action, entry))
            if first != action and other is not entry:
                problem = (f'"{entry.block["rule"]}" goes on with {action}, but "{other.block["rule"]}" '
                           f"({other.place()}) begins alike and goes on with {first}")  # fmt: skip
                findings.append(entry.wrong("contradicting rules", line, problem,
                                            "delete one, or give one a condition that the other has not"))  # fmt: skip
                break
    return findings + _same_rules(rules)


def _same_rules(rules: tuple[Entry, ...]) -> list[Finding]:
    seen: dict[Any, Entry] = {}
    findings = []
    for entry in rules:
        first = seen.setdefault(_frozen({key: entry.block.get(key) for key in _HEAD["rule"][1:]}), entry)
        if first is not entry:
            problem = f'"{entry.block["rule"]}" says what "{first.block["rule"]}" ({first.place()}) says'
            findings.append(entry.wrong("same rule twice", entry.block.line, problem, "delete one"))
    return findings


def _continuations(block: Block) -> dict[Beginning, tuple[str, int]]:
    """Beginning of a rule → what comes next and its line; a rule ends with waiting for the customer."""
    condition = block.get("condition") or []
    head = (frozenset(map(_frozen, condition)), bool(block.get("conversation_start")))
    alternatives = [step["or"] if step.get("or") else [step] for step in block["steps"]]
    found: dict[Beginning, tuple[str, int]] = {}
    for steps in product(*alternatives):
        so_far: Beginning = head
        for step in steps:
            if step.get("action"):
                found.setdefault(so_far, (str(step["action"]), step.line))
            so_far = (*so_far, _frozen({key: value for key, value in step.items() if key != "user"}))
        if block.get("wait_for_user_input", True):
            found.setdefault(so_far, ("waiting for the customer", block.line))
    return found


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((key, _frozen(part)) for key, part in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _named_twice(entries: tuple[Entry, ...], kind: str) -> list[Finding]:
    first: dict[tuple[str, str], Entry] = {}
    findings = []
    for entry in entries:
        name = str(entry.block.get(kind))
        other = first.setdefault((name, entry.file.split("/")[0]), entry)
        if other is not entry:
            problem = f'"{name}" is the name of the {kind} in {other.place()} too'
            findings.append(entry.wrong("named twice", entry.block.line, problem, "rename one"))
    return findings


def _keys(items: Any) -> list[str]:
    """Names in `- name`, `- name: value` or `name: value`."""
    if isinstance(items, Block):
        return list(items)
    return [next(iter(item), "") if isinstance(item, Block) else str(item) for item in items or []]


def _unknown(entry: Entry, step: Block, kind: str, name: str, known: list[str], otherwise: str) -> Iterator[Finding]:
    if name not in known:
        kind_of = "missing response" if kind == "response" else f"unknown {kind}"
        yield entry.wrong(kind_of, step.line, f"domain.yml has no {kind} {name}", nearest(name, known, otherwise))
