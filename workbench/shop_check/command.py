"""`python -m workbench check [--json] [--files]`: everything that can be wrong with the shop of SHOP_DIR.

Files first, then the orders database, then what customers would be answered, then the accounts. Nothing is written
but a model where questions.tsv names intents, and no finding holds a customer's data.
"""

import argparse
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from threadpoolctl import threadpool_limits

import settings
from settings import PROJECT_ROOT, Settings, SettingsError
from shop import Shop
from workbench.shop_check import credentials, database, files, pages, questions
from workbench.shop_check.findings import ERROR, INFORMATION, LEVELS, ShopFinding
from workbench.shop_check.questions import Question
from workbench.shop_check.report import Checked, as_json, print_table


def run(options: argparse.Namespace, console: Console) -> int:
    """Exit status 1 when there is an error; warnings and information do not fail."""
    logging.disable(logging.WARNING)  # readers log what the findings say better
    try:
        return _run(options, console)
    finally:
        logging.disable(logging.NOTSET)


def _run(options: argparse.Namespace, console: Console) -> int:
    folder, checked = PROJECT_ROOT, Checked()
    try:
        configured = settings.load()
        folder = configured.shop_path
        checked = check(configured, options.files)
    except SettingsError as error:
        checked = Checked(findings=[_of_settings(error)])
    checked.findings.sort(key=lambda one: LEVELS.index(one.level))
    if options.json:
        print(as_json(checked, folder))
    else:
        print_table(console, checked, folder)
    return 1 if any(one.level == ERROR for one in checked.findings) else 0


def check(configured: Settings, only_files: bool = False) -> Checked:
    """Everything found. Raises SettingsError."""
    folder = configured.shop_path
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        return Checked(findings=[ShopFinding(ERROR, "folder", str(folder), "it cannot be read: we have no right to",
                                             "correct its permissions, or run this as its owner")])  # fmt: skip
    ours, found = files.shop_findings(folder)
    found += [*files.response_findings(folder), *files.phrase_mistakes(folder)]
    trainable = not any(one.level == ERROR for one in found)
    read, of_pages = pages.page_findings(folder)
    usable = not any(one.level == ERROR for one in of_pages)
    sections = tuple(section for page in read.values() for section in page.sections) if usable else None
    asked, of_lines = questions.read(folder, sections)
    found += [*of_pages, *of_lines]
    if not only_files:
        found += _of_the_rest(configured, ours, asked if sections is not None else None, trainable)
    return Checked(ours.name if ours else None, found, read)


def _of_the_rest(
    configured: Settings, ours: Shop | None, asked: Sequence[Question] | None, trainable: bool
) -> list[ShopFinding]:
    """What is found beside the files. `asked` is None where pages are wrong, `ours` where shop.yml is."""
    try:
        configured.validate()
    except SettingsError as error:
        return [_of_settings(error)]
    found = database.database_findings(configured, ours)
    if ours is None:
        return [*found, ShopFinding(INFORMATION, "accounts", "shop.yml",
                                    "questions and accounts are not tried until shop.yml can be used")]  # fmt: skip
    if asked is not None:
        found += _answers(asked, trainable)
    return [*found, *credentials.credential_findings(configured)]


def _of_settings(error: SettingsError) -> ShopFinding:
    problem, _, remedy = str(error).partition(" Remedy: ")
    return ShopFinding(ERROR, "settings", problem.split()[0], problem, remedy)


def _answers(asked: Sequence[Question], trainable: bool) -> list[ShopFinding]:
    from actions.knowledge.pages.files import KnowledgeError
    from actions.knowledge.retrieval.retriever import default_retriever

    try:
        retriever = default_retriever(wait=True)
        retriever.find("how many days")
    except KnowledgeError as error:
        problem, _, remedy = str(error).partition(" Remedy: ")
        return [ShopFinding(ERROR, "questions", questions.FILE, f"nothing can be looked up: {problem}", remedy)]
    find = retriever.find
    label: Callable[[str], str] | None = None
    found: list[ShopFinding] = []
    if any(question.kind == questions.INTENT for question in asked):
        label = _trained() if trainable else None
        if label is None:
            found.append(ShopFinding(ERROR, "questions", questions.FILE, "its intents cannot be tried without a model",
                                     "correct the errors above, then `make train`"))  # fmt: skip
    # Two libraries' threads wait for one another in busy loops: a question would take ten times as long.
    with threadpool_limits(1):
        return [*found, *questions.asked(asked, find, label), *pages.topic_findings(find)]


def _trained() -> Callable[[str], str] | None:
    """What today's model of this shop takes a message for; trained first where there is none."""
    from workbench.nlu.trained_nlu import TrainedNlu

    print("questions.tsv names intents: the shop's model is trained first where it is not current.", file=sys.stderr)
    trained = subprocess.run([sys.executable, "-m", "launch", "train"], cwd=PROJECT_ROOT, stdout=sys.stderr,
                             timeout=1800)  # fmt: skip
    return TrainedNlu.newest(settings.load().models_path).label if trained.returncode == 0 else None
