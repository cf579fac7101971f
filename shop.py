"""The shop that the assistant works for: its folder (SHOP_DIR) and what `shop.yml` in it says.

The root of the project holds the demo shop; any other shop is a folder laid out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

import settings

LANGUAGES = ("en", "hinglish", "hi", "pt", "es")


class ShopError(ValueError):
    """shop.yml cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Shop:
    """One shop's `shop.yml`. `languages` are those it answers in, the first the default."""

    name: str
    region: str = "IN"
    languages: tuple[str, ...] = ("en",)
    currency: str = "INR"
    time_zone: str = "Asia/Kolkata"
    opening_hours: Mapping[str, Any] = field(default_factory=dict)
    ticket_prefix: str = "T"
    orders: Mapping[str, Any] = field(default_factory=dict)
    updates: Mapping[str, Any] = field(default_factory=dict)
    quiet_hours: str | None = None
    actions: tuple[str, ...] = ()


def load(folder: Path | None = None) -> Shop:
    """The shop of `folder` (default: SHOP_DIR). Raises ShopError."""
    path = (folder or settings.load().shop_path) / "shop.yml"
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise ShopError(f"{path} cannot be read. Remedy: a file with at least 'name: ...'.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ShopError(f"{path} is not valid YAML ({' '.join(str(error).split())[:160]}).") from None
    if not isinstance(read, dict):
        raise ShopError(f"{path} must be lines of 'key: value'.")
    known = [entry.name for entry in fields(Shop)]
    for key in read:
        if key not in known:
            nearest = get_close_matches(str(key), known, 1, 0.0)[0]
            raise ShopError(f"{path}: there is no key '{key}'. Remedy: '{nearest}', or remove it.")
    if not str(read.get("name") or "").strip():
        raise ShopError(f"{path} has no name. Remedy: a line 'name: ...', as customers know the shop.")
    for key in ("languages", "actions"):
        if key in read:
            if not isinstance(read[key], list):
                raise ShopError(f"{path}: '{key}' must be a list. Remedy: {key}: [..., ...].")
            read[key] = tuple(map(str, read[key]))
    for language in read.get("languages", ()):
        if language not in LANGUAGES:
            raise ShopError(f"{path}: '{language}' is no language of ours. Remedy: one of {', '.join(LANGUAGES)}.")
    return Shop(**read)
