"""What a shop's folder adds to the project when its model is trained: its name, its responses, its phrases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import shop
import yaml_files
from settings import PROJECT_ROOT

DOMAIN = PROJECT_ROOT / "domain.yml"
DATA = PROJECT_ROOT / "data"
BRAND = "{brand}"
RESPONSES, PHRASES = "responses.yml", Path("data") / "nlu"


def files(folder: Path) -> list[Path]:
    """The files of a shop that its model is made of, beside shop.yml; none for the demo shop, which is the project."""
    if folder == PROJECT_ROOT:
        return []
    return [path for path in (folder / RESPONSES, *sorted((folder / PHRASES).rglob("*.yml"))) if path.exists()]


def compose(folder: Path, state: Path) -> tuple[Path, list[Path]]:
    """The domain with the shop's name and responses, written below `state`; and the folders of training data.

    Raises shop.ShopError for responses that cannot be used.
    """
    domain = yaml_files.read(DOMAIN)
    domain["responses"] = branded(domain["responses"] | own_responses(folder, domain["responses"]), shop.load().name)
    composed = state / "domain.yml"
    composed.parent.mkdir(parents=True, exist_ok=True)
    composed.write_text(yaml_files.written(domain), encoding="utf-8")
    phrases = folder / PHRASES
    return composed, [DATA, *([phrases] if folder != PROJECT_ROOT and phrases.exists() else [])]


def own_responses(folder: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """The responses of the shop's responses.yml, by name. Raises shop.ShopError for one that nobody would ever say."""
    path = folder / RESPONSES
    if folder == PROJECT_ROOT or not path.exists():
        return {}
    try:
        said = yaml_files.read(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise shop.ShopError(f"{path} is not valid YAML ({' '.join(str(error).split())[:160]}).") from None
    responses = said.get("responses") if isinstance(said, dict) else None
    if not isinstance(responses, dict):
        raise shop.ShopError(f"{path} must begin with 'responses:', as domain.yml writes them.")
    for name, variations in responses.items():
        if name not in known:
            raise shop.ShopError(f"{path}: there is no response '{name}'. Remedy: a name of domain.yml, or remove it.")
        if not isinstance(variations, list) or not variations or not all(map(_says_something, variations)):
            raise shop.ShopError(f"{path}: {name} must be a list of what is said. Remedy: lines such as '- text: ...'.")
    return responses


def _says_something(variation: Any) -> bool:
    text = variation.get("text") if isinstance(variation, dict) else None
    return bool(isinstance(text, str) and text.strip()) or (isinstance(variation, dict) and "custom" in variation)


def branded(value: Any, name: str) -> Any:
    """The same with the shop's name wherever {brand} stands; braces in the name would be read as a placeholder."""
    if isinstance(value, str):
        return value.replace(BRAND, name.replace("{", "(").replace("}", ")"))
    if isinstance(value, list):
        return [branded(one, name) for one in value]
    return {key: branded(one, name) for key, one in value.items()} if isinstance(value, dict) else value
