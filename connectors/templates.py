"""The shop's message templates at Meta: `python -m connectors.templates list | check`.

`list` shows what the account has. `check` compares it with what shop.yml (`updates`) and WHATSAPP_REOPEN_TEMPLATE name:
each must be there, approved, in that language, and take as many parameters as we send.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import settings as settings_module
import shop
import signals
from connectors.message_bus.sending.errors import SendError
from connectors.whatsapp.graph.client import GraphClient
from lenient_json import objects, text
from settings import Settings

UPDATE_PARAMETERS = 3  # order number, date, tracking link
REOPEN_PARAMETERS = 1
NEEDED = ("WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_BUSINESS_ACCOUNT_ID")
_PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")


@dataclass(frozen=True)
class Template:
    """One template in one language. `parameters` is how many its body takes."""

    name: str
    language: str
    status: str
    category: str
    parameters: int

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Template:
        """As Meta tells it."""
        bodies = [part for part in objects(raw.get("components")) if text(part.get("type")).upper() == "BODY"]
        words = text(bodies[0].get("text")) if bodies else ""
        name, language, status, category = (
            text(raw.get(key), 512) for key in ("name", "language", "status", "category")
        )
        return cls(name, language, status, category, len(set(_PLACEHOLDER.findall(words))))


def wanted(ours: shop.Shop, configured: Settings) -> dict[str, tuple[str, str, int]]:
    """Who names a template → its name, its language, and how many parameters we send."""
    named = {
        f"shop.yml, updates.{kind}{'.' if language else ''}{language}": (*template, UPDATE_PARAMETERS)
        for kind, said in ours.updates.items()
        for language, template in _by_language(said["template"]).items()
        if template
    }
    reopen, _, language = (configured.values["WHATSAPP_REOPEN_TEMPLATE"] or "").partition(":")
    return named | ({"WHATSAPP_REOPEN_TEMPLATE": (reopen, language, REOPEN_PARAMETERS)} if reopen else {})


def _by_language(template: Any) -> Mapping[str, Any]:
    return template if isinstance(template, Mapping) else {"": template}


def mistakes(named: Mapping[str, tuple[str, str, int]], there: Sequence[Template]) -> list[str]:
    """What does not fit, each with its place and remedy."""
    found = []
    for place, (name, language, parameters) in named.items():
        of_name = [one for one in there if one.name == name]
        template = next((one for one in of_name if one.language == language), None)
        if template is None:
            has = ", ".join(sorted(one.language for one in of_name))
            said = f"does not exist ({f'it has {has}' if has else 'there is none of this name'}). Remedy: create it."
        elif template.status != "APPROVED":
            said = f"is {template.status or 'unknown'}. Remedy: wait for Meta's approval, or mend it."
        elif template.parameters != parameters:
            said = f"takes {template.parameters} parameters, we send {parameters}. Remedy: as many placeholders."
        else:
            continue
        found.append(f"{place}: {name}:{language} {said}")
    return found


async def fetch(configured: Settings) -> list[Template]:
    """What the account has. Raises SendError."""
    graph = GraphClient.from_settings(configured)
    try:
        return [Template.read(raw) for raw in await graph.templates(str(configured.whatsapp_business_account_id))]
    finally:
        await graph.close()


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit status: 1 when something does not fit, 2 when Meta cannot be asked."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m connectors.templates", description=__doc__)
    parser.add_argument("command", choices=["list", "check"])
    options = parser.parse_args(arguments)
    configured = settings_module.load()
    if missing := configured.missing(NEEDED):
        print(f"Set {', '.join(missing)} first (Meta's app dashboard, WhatsApp → API setup).", file=sys.stderr)
        return 2
    try:
        ours, there = shop.load(), sorted(asyncio.run(fetch(configured)), key=lambda one: (one.name, one.language))
    except (SendError, shop.ShopError) as error:
        print(f"Meta's templates cannot be checked: {error}", file=sys.stderr)
        return 2
    if options.command == "list":
        for one in there:
            print(f"{one.name}:{one.language}  {one.status}  {one.category}  {one.parameters} parameters")
        return 0
    named = wanted(ours, configured)
    wrong = mistakes(named, there)
    print("\n".join([*wrong, f"{len(named)} templates named, {len(wrong)} do not fit."]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
