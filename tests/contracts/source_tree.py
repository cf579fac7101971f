"""Our modules and who imports whom, read from the source: imports wherever they stand, by name included."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "actions", "benchmarks", "components", "connectors", "conversation_log", "handoff", "hot_store", "launch",
    "privacy", "sql_servers", "twin", "workbench", "worker",
)  # fmt: skip


@lru_cache(maxsize=1)
def modules() -> Mapping[str, Path]:
    """Every module of the product by its dotted name; a package's is its `__init__`."""
    paths = [*ROOT.glob("*.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    return {_name(path): path for path in paths if not path.name[0].isdigit()}  # no migrations


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a parsed module; walking it takes longer than parsing."""
    return tuple(ast.walk(tree(path)))


@cache
def imported(path: Path) -> frozenset[str]:
    """Dotted names that a module imports, at its top or in a function, by statement or by name."""
    return names_imported(nodes(path), path.relative_to(ROOT).parent.parts)


def names_imported(module: Collection[ast.AST], package: tuple[str, ...] = ()) -> frozenset[str]:
    """The same of all nodes of a module in a package."""
    names: set[str] = set()
    by_name = False
    for node in module:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(_from(node, package))
        by_name = by_name or _imports_by_name(node)
    if by_name:
        names.update(text for text in strings(module) if text in modules())
    return frozenset(names)


def _from(node: ast.ImportFrom, package: tuple[str, ...]) -> Iterator[str]:
    """`from a.b import c` is `a.b.c` where that is a module, else `a.b`; relative ones made absolute."""
    start = package[: len(package) - node.level + 1] if node.level else ()
    base = ".".join((*start, *([node.module] if node.module else [])))
    for alias in node.names:
        yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules() else base


def _imports_by_name(node: ast.AST) -> bool:
    """`importlib.import_module(…)` or `__import__(…)`: whatever of our names stands in such a module may be meant."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in ("import_module", "__import__", "find_spec", "run_module")


def strings(module: Collection[ast.AST]) -> Iterator[str]:
    """Every string constant among these nodes."""
    for node in module:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def started(path: Path) -> Iterator[str]:
    """Modules that a module starts as a Python of its own: what follows "-m" in a list or a call."""
    for node in nodes(path):
        words: list[ast.expr] = []
        if isinstance(node, (ast.List, ast.Tuple)):
            words = node.elts
        elif isinstance(node, ast.Call):
            words = node.args
        texts = [word.value if isinstance(word, ast.Constant) else None for word in words]
        for flag, name in pairwise(texts):
            if flag == "-m" and isinstance(name, str) and name.replace(".", "_").isidentifier():  # not pytest's -m
                yield name


def our_imports() -> dict[str, set[str]]:
    """For each of our modules those of ours that it imports."""
    ours = modules()
    return {name: {target for target in imported(path) if target in ours} - {name} for name, path in ours.items()}


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """One circle for each module that comes back to itself, as the way there and back; none twice."""
    found: dict[frozenset[str], list[str]] = {}
    for start in sorted(imports):
        way = _way_back(start, imports)
        if way:
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _way_back(start: str, imports: Mapping[str, set[str]]) -> list[str]:
    """The shortest way from a module to itself; empty when there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for target in sorted(imports.get(name, ())):
            if target == start:
                way = [start]
                while name != start:
                    way.insert(1, name)
                    name = came_from[name]
                return [*way, start]
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return []
