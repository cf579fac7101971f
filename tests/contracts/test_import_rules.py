"""Who may import whom (docs/architecture.md, "Import rules"), and how rooms are furnished."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import yaml_files
from settings import VARIABLES
from tests.contracts import source_tree
from tests.contracts.source_tree import ROOMS, ROOT, imported

BASE = {path.stem for path in ROOT.glob("*.py")}
OURS = {*ROOMS, *BASE}
pytestmark = pytest.mark.xdist_group("import rules")  # the modules are parsed once, not once in each worker
ALLOWED = {
    "hot_store": set(),
    "privacy": set(),
    "sql_servers": set(),
    "settings.py": {"settings_values", "settings_variables"},
    "settings_values.py": {"hot_store"},
    "settings_variables.py": set(),
    "signals.py": set(),
    "buckets.py": {"settings"},
    "exposition.py": set(),
    "tracing.py": {"privacy", "settings"},
    "lenient_json.py": set(),
    "shop_updates.py": set(),
    "shop_costs.py": set(),
    "shop.py": {"shop_costs", "shop_updates", "settings", "yaml_files"},
    "dates.py": {"shop"},
    "yaml_files.py": set(),
    "skills.py": {"settings", "yaml_files"},
    "conversation_log": {"hot_store", "privacy", "sql_servers", *BASE},
    "handoff": {"privacy", "sql_servers", *BASE},
    "connectors": {"components", "handoff", "hot_store", "privacy", *BASE},
    "components": {"privacy", *BASE},
    "actions": {"components", "handoff", "privacy", "sql_servers", *BASE},
    "worker": {"actions", "conversation_log", "handoff", "hot_store", "privacy", "connectors", *BASE},
    "twin": set(),
    "launch": {"actions", "components", "connectors", "handoff", "hot_store", "privacy", *BASE},
    "benchmarks": {"connectors", "launch", *BASE},
    "workbench": OURS - {"benchmarks", "twin", "worker"},
    "connectors/message_bus": {"connectors", "handoff", "hot_store", "privacy", *BASE},
}
ROOMS_OF_CONNECTORS = {
    "connectors/message_bus": {"message_bus", "metrics"},
    "connectors/conversations": {"conversations", "message_bus", "whatsapp"},
    "connectors/whatsapp": {"whatsapp", "message_bus", "conversations", "metrics", "http_calls"},
    "connectors/dialogue": {"dialogue", "message_bus", "whatsapp", "http_calls"},
    "connectors/http_calls.py": set(),
    "connectors/media": {"media", "message_bus", "metrics", "whatsapp"},
    "connectors/stores": {"stores", "message_bus"},
    "connectors/rasa_patches": {"rasa_patches"},
    "connectors/metrics.py": {"message_bus"},
    "connectors/zendesk.py": {"message_bus", "whatsapp"},
    "connectors/shop.py": {"whatsapp"},
    "connectors/templates.py": {"message_bus", "whatsapp"},
}
WITHOUT_RASA = (
    "privacy", "conversation_log", "handoff", "worker", "twin", "actions", "components/text",
    "components/escalation/assessment.py", "components/escalation/examples.py", "components/escalation/reasons.py",
    "connectors/message_bus", "connectors/conversations", "connectors/whatsapp/webhook", "connectors/whatsapp/graph",
    "connectors/whatsapp/rendering", "connectors/media",
)
MAY_START_PROCESSES = ("launch", "benchmarks", "workbench")
BECOMES = {"conversation_log.__main__": "workbench.replay"}
"""A command that hands its process over to the room that can do it."""
NOT_OURS = ("pip", "pytest", "rasa")
MAX_MODULES = 14
MAX_LINES = 300
MAX_TEST_LINES = 400


def modules(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_package_imports_only_what_it_may(package: str) -> None:
    own = package.removesuffix(".py")
    for path in modules(package):
        tops = {name.split(".")[0] for name in imported(path)} & OURS
        assert tops - {own} <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {tops - {own} - ALLOWED[package]}"


def test_every_room_and_module_of_ours_has_its_rule() -> None:
    assert {place.removesuffix(".py") for place in ALLOWED if "/" not in place} == OURS


@pytest.mark.parametrize("room", sorted(ROOMS_OF_CONNECTORS))
def test_room_of_the_connectors_imports_only_what_it_may(room: str) -> None:
    for path in modules(room):
        used = {name.split(".")[1] for name in imported(path) if name.startswith("connectors.")}
        assert used <= ROOMS_OF_CONNECTORS[room], f"{path.relative_to(ROOT)} imports {used - ROOMS_OF_CONNECTORS[room]}"


def test_message_bus_knows_nothing_of_whatsapp_by_no_detour() -> None:
    """Not through another module either: nothing that it loads belongs to WhatsApp."""
    imports = source_tree.our_imports()
    reached: set[str] = set()
    waiting = {name for name in imports if name.startswith("connectors.message_bus")}
    while waiting:
        reached |= waiting
        waiting = {target for name in waiting for target in imports[name]} - reached
    theirs = ("connectors.whatsapp", "connectors.conversations", "connectors.dialogue")
    assert not [name for name in sorted(reached) if name.startswith(theirs)]


def test_no_module_comes_back_to_itself_through_its_imports() -> None:
    found = source_tree.circles(source_tree.our_imports())
    assert not found, "\n".join(" → ".join(way) for way in found)


def test_a_circle_over_a_third_module_is_found() -> None:
    assert source_tree.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c", "a"]]
    assert source_tree.circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("def f():\n    import shop", "shop"),
        ("from workbench.review import command", "workbench.review.command"),
        ("import importlib\nimportlib.import_module('workbench.review.command')", "workbench.review.command"),
        ("NAMES = ('worker.tickets',)\nfor name in NAMES:\n    __import__(name)", "worker.tickets"),
    ],
)
def test_an_import_is_seen_however_it_is_hidden(text: str, target: str) -> None:
    assert target in source_tree.names_imported([*ast.walk(ast.parse(text))])


def test_python_is_started_only_by_launchers_and_only_with_modules_that_exist() -> None:
    for name, path in source_tree.modules().items():
        for module in source_tree.started(path):
            may = name.split(".")[0] in MAY_START_PROCESSES or BECOMES.get(name) == module
            assert may, f"{name} starts python -m {module}"
            assert module in source_tree.modules() or module in NOT_OURS, f"{name}: there is no module {module}"


def test_classes_that_rasas_files_name_are_in_modules_that_exist() -> None:
    for file in ("endpoints.yml", "credentials.yml", "config.yml"):
        text = yaml_files.read(ROOT / file)
        for name in _dotted(text):
            assert name.rpartition(".")[0] in source_tree.modules(), f"{file}: {name}"


def _dotted(value: object) -> set[str]:
    """Names below our rooms anywhere in a YAML document."""
    if isinstance(value, dict):
        return {name for pair in value.items() for part in pair for name in _dotted(part)}
    if isinstance(value, list):
        return {name for part in value for name in _dotted(part)}
    return {value} if isinstance(value, str) and value.split(".")[0] in ROOMS and "." in value else set()


@pytest.mark.parametrize("place", WITHOUT_RASA)
def test_place_runs_without_rasa(place: str) -> None:
    for path in modules(place):
        assert "rasa" not in {name.split(".")[0] for name in imported(path)}, path.relative_to(ROOT)


def test_launcher_takes_nothing_of_the_connectors_but_how_rasa_starts_without_tensorflow() -> None:
    taken = {name for path in modules("launch") for name in imported(path) if name.startswith("connectors.")}
    assert {name for name in taken if name in source_tree.our_imports()} == {"connectors.rasa_patches.loading"}


def test_connectors_and_actions_ask_only_what_is_pure_of_the_components() -> None:
    pure = {
        "actions/skill/services.py": "components.order_numbers",
        "connectors/dialogue/grading.py": "components.escalation",
        "connectors/dialogue/wishes.py": "components.intents.message_parts",
        "connectors/media/pictures.py": "components.order_numbers",
    }
    users = {
        str(path.relative_to(ROOT))
        for path in (*modules("actions"), *modules("connectors"))
        if any(name.split(".")[0] == "components" for name in imported(path))
    }
    assert users <= set(pure)
    for place, allowed in pure.items():
        used = {name for name in imported(ROOT / place) if name.startswith("components")}
        assert all(name.startswith(allowed) for name in used), place


def test_worker_uses_of_other_rooms_only_the_inbox_whose_it_is_the_graph_client_and_the_orders() -> None:
    allowed = {
        "connectors.message_bus.inbox", "connectors.conversations.identity", "connectors.conversations.senders",
        "connectors.whatsapp.graph.client", "connectors.message_bus.sending.errors",
        "connectors.message_bus.servers.migration", "connectors.message_bus.connections",
    }  # fmt: skip
    for path in modules("worker"):
        used = {name for name in imported(path) if name.startswith(("connectors", "actions"))}
        assert all(name in allowed or name.startswith("actions.orders.") for name in used), path.relative_to(ROOT)


def test_capability_knows_neither_the_sdk_nor_its_sisters() -> None:
    """`actions.llm` is no capability but a tool of theirs: it knows none of them."""
    for capability, may in (
        ("orders", ()), ("knowledge", ("actions.llm",)), ("llm", ()), ("self_service", ()),
    ):  # fmt: skip
        for path in modules(f"actions/{capability}"):
            names = imported(path)
            assert not any(name.startswith("rasa_sdk") for name in names), path.relative_to(ROOT)
            assert not any(
                name.startswith("actions.") and not name.startswith((f"actions.{capability}", *may)) for name in names
            ), path.relative_to(ROOT)


def test_zenpy_is_imported_in_its_backend_only() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in source_tree.modules().values()
        if any(name.split(".")[0] == "zenpy" for name in imported(path))
    }
    assert users <= {"handoff/helpdesks/zendesk.py"}


def test_no_folder_holds_more_modules_than_one_can_overlook() -> None:
    """But `actions/`, which has a module for each skill: one more skill is no reason to move the others."""
    folders: dict[Path, int] = {}
    for path in source_tree.modules().values():
        if path.parent == ROOT / "actions":
            continue
        folders[path.parent] = folders.get(path.parent, 0) + (path.name != "__init__.py")
    crowded = {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > MAX_MODULES}
    assert not crowded, "Remedy: a folder is one idea; give a part of it a room of its own."


def test_no_module_is_too_long_to_read_in_one_go() -> None:
    long = {
        name: lines
        for name, path in source_tree.modules().items()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long, "Remedy: split it along one idea."


def test_no_test_module_makes_too_many_promises() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "tests").rglob("test_*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_TEST_LINES
    }
    assert not long, "Remedy: split it by what is promised; what both parts need goes into a module beside them."


def test_every_room_says_what_lives_there_what_it_may_import_and_where_to_start() -> None:
    for name, path in source_tree.modules().items():
        if path.name == "__init__.py":
            said = ast.get_docstring(source_tree.tree(path)) or ""
            assert "import" in said.lower(), f"{name}: what may it import?"
            assert "Start reading" in said, f"{name}: where does one start to read?"
            assert len(said.splitlines()) <= 16, name


def test_what_a_room_names_as_its_beginning_is_there() -> None:
    for name, path in source_tree.modules().items():
        if path.name == "__init__.py":
            said = ast.get_docstring(source_tree.tree(path)) or ""
            for word in said.partition("Start reading")[2].replace("`", " ").split():
                if word.rstrip(".,;").endswith(".py"):
                    assert (path.parent / word.rstrip(".,;")).exists(), f"{name}: {word}"


def read_from_environment(path: Path) -> set[str]:
    """Names of variables that a module reads from os.environ."""
    names: set[str] = set()
    for node in source_tree.nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            names.add(ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else "")
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            names.add(ast.literal_eval(node.slice) if isinstance(node.slice, ast.Constant) else "")
    return names


def test_only_settings_reads_a_setting_from_the_environment() -> None:
    """The twin imports nothing of ours and the launcher hands the environment on, so those two read it too."""
    settings_names = {variable.name for variable in VARIABLES}
    for package in sorted(set(ROOMS) - {"twin", "launch", "benchmarks"}):
        for path in modules(package):
            if "environ" not in path.read_text(encoding="utf-8") and "getenv" not in path.read_text(encoding="utf-8"):
                continue
            assert not read_from_environment(path) & settings_names, path.relative_to(ROOT)
