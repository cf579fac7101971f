"""shop.yml, responses.yml and the shop's own phrases: every mistake in them, by file and line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shop
import yaml_files
from components.order_numbers.finding import taken_for
from components.order_numbers.shape import Shape, ShapeError
from components.order_numbers.shops import shop_pattern
from launch import shop_folder
from settings import PROJECT_ROOT
from workbench.checks import yaml_lines
from workbench.checks.nlu_files import phrase_findings
from workbench.checks.project import read_shops_phrases
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding, of_message

_FILLED_IN = re.compile(r"\{(\w+)\}")


def shop_findings(folder: Path) -> tuple[shop.Shop | None, list[ShopFinding]]:
    """What shop.yml says (None while it has mistakes), and what is wrong with it."""
    ours, mistakes = shop.examine(folder)
    path = folder / shop.FILE
    found = [of_message("shop.yml", folder, path, str(mistake)) for mistake in mistakes]
    if ours is None:
        return None, found
    return ours, [*found, *_not_said(folder), *_order_shape(folder, path, ours)]


def _not_said(folder: Path) -> Iterator[ShopFinding]:
    """What a shop of one's own has to say and does not: then it is what the demo shop says."""
    said = yaml_files.read(folder / shop.FILE)
    for key, example in shop.NEEDED.items():
        if key not in said:
            assumed = getattr(shop.Shop(""), key)
            assumed = ", ".join(assumed) if isinstance(assumed, tuple) else assumed
            yield ShopFinding(WARNING, "shop.yml", shop.FILE, f"it does not say '{key}', so {assumed} is assumed",
                              f"a line such as {key}: {example}")  # fmt: skip


def _order_shape(folder: Path, path: Path, ours: shop.Shop) -> Iterator[ShopFinding]:
    try:
        pattern = shop_pattern()
    except shop.ShopError as error:
        yield of_message("shop.yml", folder, path, str(error).removeprefix("shop.yml, "))
        return
    for example in map(str, ours.orders.get("id_examples") or ()):
        if kind := taken_for(example, pattern):
            problem = f"orders: '{example}' of id_examples reads as a {kind}, so no message with it is understood."
            yield of_message("shop.yml", folder, path, f"{problem} Remedy: order numbers that are nothing else.")
    if not (ours.orders.get("id_examples") or ours.orders.get("id_pattern")):
        yield ShopFinding(
            WARNING, "shop.yml", shop.FILE, "it does not say how order numbers look, so five digits are assumed",
            "orders: {id_examples: [...]} with two or three real order numbers",
        )  # fmt: skip


def shape_of_orders() -> Shape | None:
    """The shape of the shop's order numbers; None where shop.yml's cannot be used."""
    try:
        return Shape.of(shop_pattern())
    except (shop.ShopError, ShapeError):
        return None


def response_findings(folder: Path) -> Iterator[ShopFinding]:
    """What is wrong with responses.yml; nothing where there is none."""
    path = folder / shop_folder.RESPONSES
    if folder == PROJECT_ROOT or not path.exists():
        return
    ours = yaml_files.read(shop_folder.DOMAIN)["responses"]
    try:
        own = shop_folder.own_responses(folder, ours)
    except (shop.ShopError, OSError) as error:
        yield of_message("responses", folder, path, str(error))
        return
    for name, variations in own.items():
        unknown = _placeholders(variations) - _placeholders(ours[name]) - {"brand"}
        for placeholder in sorted(unknown):
            known = ", ".join(f"{{{one}}}" for one in sorted(_placeholders(ours[name]) | {"brand"}))
            yield of_message(
                "responses", folder, path,
                f"'{name}': nothing ever fills in {{{placeholder}}}, so customers would read it. Remedy: only {known}.",
            )  # fmt: skip
    yield ShopFinding(INFORMATION, "responses", path.name, "responses of its own", count=len(own))


def _placeholders(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_FILLED_IN.findall(value))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(_placeholders, parts))


def phrase_mistakes(folder: Path) -> list[ShopFinding]:
    """What is wrong with data/nlu of the shop; nothing where there is none, and for the demo shop (`make validate`)."""
    if folder == PROJECT_ROOT or not any((folder / shop_folder.PHRASES).rglob("*.yml")):
        return []
    project = read_shops_phrases(folder, yaml_lines.read(PROJECT_ROOT / "domain.yml"))
    found = [*project.findings, *phrase_findings(project)]
    return [ShopFinding(ERROR if one.blocking else WARNING, "phrases", one.place, one.problem, one.remedy)
            for one in found]  # fmt: skip
