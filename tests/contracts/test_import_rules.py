"""Who may import whom (docs/architecture.md, "Import rules")."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "settings", "settings_values", "signals", "postgres_patience", "shop", "dates", "actions", "components",
    "connectors", "handoff", "conversation_log", "privacy", "worker", "twin", "launch", "benchmarks", "workbench",
}
BASE = {"settings", "settings_values", "signals", "postgres_patience", "shop", "dates"}
ALLOWED = {
    "privacy": set(),
    "settings.py": {"settings_values"},
    "settings_values.py": set(),
    "signals.py": set(),
    "shop.py": {"settings"},
    "dates.py": {"shop"},
    "conversation_log": {"privacy", *BASE},
    "handoff": {"privacy", *BASE},
    "connectors": {"components", "conversation_log", "handoff", "privacy", *BASE},
    "components": BASE,
    "actions": {"handoff", "privacy", *BASE},
    "worker": {"conversation_log", "handoff", "privacy", "connectors", *BASE},
    "twin": set(),
}
WITHOUT_RASA = (
    "privacy", "conversation_log", "handoff", "worker", "twin", "actions", "components/text",
    "components/escalation/assessment.py", "components/escalation/examples.py", "components/escalation/reasons.py",
    "connectors/message_bus", "connectors/conversations", "connectors/whatsapp/webhook", "connectors/whatsapp/graph",
    "connectors/whatsapp/rendering",
)


def modules(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_package_imports_only_what_it_may(package: str) -> None:
    own = package.removesuffix(".py")
    for path in modules(package):
        tops = {name.split(".")[0] for name in imported(path)} & OURS
        assert tops - {own} <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {tops - {own} - ALLOWED[package]}"


@pytest.mark.parametrize("place", WITHOUT_RASA)
def test_place_runs_without_rasa(place: str) -> None:
    for path in modules(place):
        assert "rasa" not in {name.split(".")[0] for name in imported(path)}, path.relative_to(ROOT)


def test_connectors_ask_only_what_is_pure_of_the_components() -> None:
    pure = {
        "connectors/dialogue/grading.py": "components.escalation",
        "connectors/dialogue/wishes.py": "components.intents.message_parts",
    }
    users = {
        str(path.relative_to(ROOT))
        for path in modules("connectors")
        if any(name.split(".")[0] == "components" for name in imported(path))
    }
    assert users <= set(pure)
    for place, allowed in pure.items():
        used = {name for name in imported(ROOT / place) if name.startswith("components")}
        assert all(name.startswith(allowed) for name in used), place


def test_worker_uses_only_the_inbox_of_the_connectors() -> None:
    for path in modules("worker"):
        used = {name for name in imported(path) if name.startswith("connectors")}
        assert used <= {"connectors.message_bus.inbox"}, path.relative_to(ROOT)


def test_capability_knows_neither_the_sdk_nor_its_sisters() -> None:
    """`actions.llm` is no capability but a tool of theirs: it knows none of them."""
    for capability, may in (("orders", ()), ("knowledge", ("actions.llm",)), ("llm", ())):
        for path in modules(f"actions/{capability}"):
            names = imported(path)
            assert not any(name.startswith("rasa_sdk") for name in names), path.relative_to(ROOT)
            assert not any(
                name.startswith("actions.") and not name.startswith((f"actions.{capability}", *may)) for name in names
            ), path.relative_to(ROOT)


def test_zenpy_is_imported_in_its_backend_only() -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in OURS - BASE
        for path in modules(package)
        if any(name.split(".")[0] == "zenpy" for name in imported(path))
    }
    assert users <= {"handoff/helpdesks/zendesk.py"}


def read_from_environment(path: Path) -> set[str]:
    """Names of variables that a module reads from os.environ."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            names.add(ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else "")
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            names.add(ast.literal_eval(node.slice) if isinstance(node.slice, ast.Constant) else "")
    return names


def test_only_settings_reads_a_setting_from_the_environment() -> None:
    """The twin imports nothing of ours and the launcher hands the environment on, so those two read it too."""
    settings_names = {variable.name for variable in VARIABLES}
    for package in OURS - BASE - {"twin", "launch", "benchmarks"}:
        for path in modules(package):
            assert not read_from_environment(path) & settings_names, path.relative_to(ROOT)
