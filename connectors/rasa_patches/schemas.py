"""Rasa's check of YAML files against its schemas, without the line numbers that only a mistake needs.

The original parses each file in a way that keeps lines, at four times the time, and checks the domain anew each time it
is read: 2.5 s of processor a time for this project's. What has a mistake goes to the original, which names the line.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = "rasa"


def install() -> None:
    """Put it in the place of the original; twice is once."""
    from rasa.shared.utils import validation

    stock = validation.validate_yaml_schema
    if hasattr(stock, "stock"):
        return

    @cache
    def passes(content: str, schema: str, package: str) -> bool:
        from pykwalify.core import Core
        from rasa.shared.utils import io

        try:
            schemas = [_file(package, schema), _file(PACKAGE, validation.RESPONSES_SCHEMA_FILE)]
            merged = {key: part for file in schemas for key, part in dict(io.read_yaml_file(file)).items()}
            extensions = [_file(PACKAGE, validation.SCHEMA_EXTENSIONS_FILE)]
            Core(source_data=io.read_yaml(content), schema_data=merged, extensions=extensions).validate()
        except Exception:
            return False
        return True

    def validate_yaml_schema(yaml_file_content: str, schema_path: str, package_name: str = PACKAGE) -> None:
        if not passes(yaml_file_content, schema_path, package_name):
            stock(yaml_file_content, schema_path, package_name)

    replacement: Any = validate_yaml_schema
    replacement.stock = stock
    validation.validate_yaml_schema = replacement


def _file(package: str, path: str) -> str:
    """Not by `pkg_resources`, which takes a quarter of a second to import."""
    return str(Path(str(import_module(package).__file__)).parent / path)
