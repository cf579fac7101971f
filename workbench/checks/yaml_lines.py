"""YAML whose mappings know the line on which they begin, so that a mistake is reported where it is."""

from pathlib import Path
from typing import Any

import yaml

import yaml_files
from workbench.nlu.phrases import shown


class Block(dict[str, Any]):
    """A mapping. `line` is where it begins, `lines` where each key stands, `twice` keys that are written twice."""

    line: int
    lines: dict[str, int]
    twice: list[str]

    def line_of(self, key: str) -> int:
        """Where a key stands, or the mapping when it has no such key."""
        return self.lines.get(key, self.line)


class YamlMistake(ValueError):
    """The text is not valid YAML; `line` is where the reader stumbled."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def read(path: Path) -> Any:
    """The file's content: Block, list, or a plain value. Raises YamlMistake."""
    loader = None
    try:
        loader = yaml_files.LOADER(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        return None if node is None else _value(loader, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlMistake(error.problem or error.context or "not YAML", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlMistake(" ".join(str(error).split())[:120], 1) from None
    finally:
        if loader is not None:
            loader.dispose()


def places(path: Path, section: str, key: str) -> dict[str, str]:
    """Name → file:line of the named entries of a section (rules, stories); none when the file is not valid YAML."""
    try:
        content = read(path)
    except YamlMistake:
        return {}
    entries = content.get(section) if isinstance(content, Block) else None
    named = [entry for entry in entries or [] if isinstance(entry, Block) and key in entry]
    return {str(entry[key]): f"{shown(path)}:{entry.line}" for entry in named}


def _value(loader: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node, deep=True)
    block = Block()
    block.line, block.lines, block.twice = node.start_mark.line + 1, {}, []
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in block:
            block.twice.append(key)
        block[key] = _value(loader, value_node)
        block.lines[key] = key_node.start_mark.line + 1
    return block
