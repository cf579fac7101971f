"""shop.yml, policy pages, handoff.yml, config.yml: what the code that reads them complains of, with its line."""

from collections.abc import Iterator
from pathlib import Path

import shop
from actions.knowledge.pages import documents
from components.escalation.settings import POLICY, EscalationConfigError, parse
from components.order_numbers.meaning import ExamplesError, read_examples
from handoff.configuration import HandoffConfigurationError, load_configuration
from workbench.checks import yaml_lines
from workbench.checks.findings import Finding
from workbench.checks.messages import halves, line_of
from workbench.checks.yaml_lines import Block

ORDER_NUMBERS = "data/order_numbers/examples.yml"


def settings_findings(root: Path) -> list[Finding]:
    """Everything wrong with policy_kb/, handoff.yml, config.yml and the examples of order numbers."""
    return [*_shop(root), *_pages(root), *_handoff(root), *_config(root), *_order_numbers(root)]


def _pages(root: Path) -> Iterator[Finding]:
    for path, message in documents.examine(root / "policy_kb")[1]:
        yield _finding("bad policy page", path, root, message.partition(": ")[2])


def _shop(root: Path) -> Iterator[Finding]:
    path = root / shop.FILE
    try:
        shop.read(root)
    except shop.ShopError as error:
        yield _finding("bad shop.yml", path, root, str(error).removeprefix(f"{path}: "))


def _handoff(root: Path) -> Iterator[Finding]:
    path = root / "handoff.yml"
    try:
        load_configuration(path)
    except HandoffConfigurationError as error:
        yield _finding("bad handoff.yml", path, root, str(error).removeprefix(f"{path}: "))


def _order_numbers(root: Path) -> Iterator[Finding]:
    path = root / ORDER_NUMBERS
    try:
        read_examples(path)
    except ExamplesError as error:
        problem, _, remedy = str(error).partition(" Remedy: ")
        yield Finding("bad examples", f"{ORDER_NUMBERS}:{error.line}", problem, remedy)


def _config(root: Path) -> Iterator[Finding]:
    path = root / "config.yml"
    try:
        config = yaml_lines.read(path)
    except (yaml_lines.YamlMistake, OSError) as error:
        line = getattr(error, "line", 1)
        yield Finding("not YAML", f"config.yml:{line}", str(error), "correct the indentation of this line")
        return
    policies = [policy for policy in config.get("policies") or [] if isinstance(policy, Block)]
    for policy in policies:
        if policy.get("name") != POLICY:
            continue
        try:
            parse(policy)
        except EscalationConfigError as error:
            problem = str(error).removeprefix("config.yml, ").removeprefix(f"{POLICY}, ").removeprefix(f"{POLICY}: ")
            yield _finding("bad escalation settings", path, root, problem, since=policy.line)
    if POLICY not in [policy.get("name") for policy in policies]:
        yield Finding("bad escalation settings", "config.yml:1", f"there is no policy {POLICY}",
                      "add it under `policies`, as the repository has it")  # fmt: skip
    for part in config.get("pipeline") or []:
        if isinstance(part, Block) and "threshold" in part and not _is_share(part["threshold"]):
            yield Finding("bad threshold", f"config.yml:{part.line_of('threshold')}",
                          f"{part.get('name')}: {part['threshold']!r} is not a confidence",
                          "write a number from 0 to 1, such as 0.4")  # fmt: skip


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _finding(kind: str, path: Path, root: Path, message: str, since: int = 1) -> Finding:
    """A finding of a message that ends with what to do, at the line that it speaks of."""
    problem, remedy = halves(message)
    return Finding(kind, f"{path.relative_to(root)}:{line_of(path, message, since)}", problem, remedy)
