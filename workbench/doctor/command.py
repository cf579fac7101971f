"""`python -m workbench doctor [--json]`: each part of the installation ok, warning or error, with the remedy.

The parts are asked side by side, each within TIMEOUT_S; nothing is written, and no secret is printed.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent import futures
from functools import partial
from threading import Thread

from rich.console import Console
from rich.markup import escape

import settings
from settings import Settings, SettingsError
from workbench.doctor import databases, machine, meta, redis_servers, setting_conflicts
from workbench.shop_check.credentials import credential_findings
from workbench.shop_check.findings import ERROR, INFORMATION, LEVELS, WARNING, ShopFinding

TIMEOUT_S = 25.0
Check = Callable[[Settings], Iterable[ShopFinding]]
CHECKS: Mapping[str, Check] = {
    "settings": setting_conflicts.findings, "machine": machine.findings, "model": machine.model_findings,
    "packages": machine.package_findings, "accounts": credential_findings, "meta": meta.findings,
    "redis": redis_servers.findings, "conversations": databases.conversation_findings,
    "orders": databases.order_findings,
}  # fmt: skip
_SHOWN = {ERROR: ("red", "error"), WARNING: ("yellow", "warning"), INFORMATION: ("green", "ok")}


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit status 1 when there is an error; warnings do not fail."""
    logging.disable(logging.CRITICAL)  # what clients log, the findings say better
    try:
        found, secrets = _examined()
    finally:
        logging.disable(logging.NOTSET)
    found.sort(key=lambda one: LEVELS.index(one.level))
    if options.json:
        print(_without(secrets, _as_json(found)))
    else:
        _print(console, found, secrets)
    return 1 if any(one.level == ERROR for one in found) else 0


def _examined() -> tuple[list[ShopFinding], list[str]]:
    try:
        configured = settings.load()
        configured.validate()
    except SettingsError as error:
        problem, _, remedy = str(error).partition(" Remedy: ")
        return [ShopFinding(ERROR, "settings", problem.split()[0], problem, remedy or "correct it")], []
    return examine(configured), configured.secrets()


def examine(configured: Settings, checks: Mapping[str, Check] = CHECKS) -> list[ShopFinding]:
    """What all parts say; one that does not answer in time, or fails, is an error of its own."""
    deadline = time.monotonic() + TIMEOUT_S
    begun = {name: _begin(partial(check, configured)) for name, check in checks.items()}
    found: list[ShopFinding] = []
    for name, answer in begun.items():
        try:
            found += answer.result(max(0.0, deadline - time.monotonic()))
        except futures.TimeoutError:
            found.append(ShopFinding(ERROR, name, name, f"no answer within {TIMEOUT_S:.0f} s",
                                     "see that this machine reaches what it names, and is not overloaded"))  # fmt: skip
        except Exception as error:  # its message may hold an address with a password
            found.append(ShopFinding(ERROR, name, name, f"it cannot be examined ({type(error).__name__})",
                                     "see the variables in .env.example"))  # fmt: skip
    return found


def _begin(check: Callable[[], Iterable[ShopFinding]]) -> futures.Future[list[ShopFinding]]:
    """Run a check in a thread that, should it hang, ends with the process."""
    done: futures.Future[list[ShopFinding]] = futures.Future()

    def work() -> None:
        try:
            done.set_result(list(check()))
        except Exception as error:
            done.set_exception(error)

    Thread(target=work, daemon=True).start()
    return done


def _without(secrets: Iterable[str], text: str) -> str:
    """The text without the values of secrets, should a client's message have held one."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return text


def _as_json(found: list[ShopFinding]) -> str:
    counted = {word: sum(one.level == level for one in found) for level, (_, word) in _SHOWN.items()}
    lines = [{"level": _SHOWN[one.level][1], "about": one.about, "where": one.where, "what": one.problem,
              "remedy": one.remedy} for one in found]  # fmt: skip
    return json.dumps({"errors": counted["error"], "warnings": counted["warning"], "ok": counted["ok"],
                       "lines": lines}, ensure_ascii=False)  # fmt: skip


def _print(console: Console, found: list[ShopFinding], secrets: list[str]) -> None:
    for one in found:
        colour, word = _SHOWN[one.level]
        said = f"{one.about}: {one.problem}" if one.where == one.about else f"{one.about} {one.where}: {one.problem}"
        console.print(f"[{colour}]{word:8}[/]{escape(_without(secrets, said))}", soft_wrap=True, highlight=False)
        if one.remedy and one.level != INFORMATION:
            console.print(f"        → {escape(_without(secrets, one.remedy))}", soft_wrap=True, highlight=False)
    errors, warnings, fine = (sum(one.level == level for one in found) for level in LEVELS)
    console.print(f"{errors} errors, {warnings} warnings, {fine} ok.", highlight=False)
