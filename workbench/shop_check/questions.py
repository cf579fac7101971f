"""questions.tsv, the shop's own regression: lines that cannot be meant, and how many questions are answered right."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import skills
from actions.knowledge.pages.documents import Section
from actions.knowledge.pages.files import is_page
from actions.knowledge.retrieval.retriever import Finding
from workbench.nlu.trained_nlu import is_right
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

FILE = "questions.tsv"
RIGHT_FROM = 0.8
REFUSE = ("refuse", "none")
PAGE, REFUSAL, INTENT = "answered from a page", "refused", "understood as an intent"


@dataclass(frozen=True)
class Question:
    """One line: the question, which kind of answer it wants, and which (section keys; an intent; nothing)."""

    line: int
    text: str
    kind: str
    wanted: tuple[str, ...] = ()


def read(folder: Path, sections: Sequence[Section] | None) -> tuple[list[Question], list[ShopFinding]]:
    """The questions that can be asked, and the lines that cannot be meant. `sections` None: the pages are not known."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        remedy = "write some real questions, a line each: question, tab, page#heading or refuse"
        return [], [ShopFinding(INFORMATION, "questions", FILE, "there is none, so nothing shows what is answered",
                                remedy)]  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        reason, remedy = "it is not UTF-8 text", "save it as UTF-8 text"
        if isinstance(error, OSError):
            reason, remedy = str(error.strerror), "correct its permissions"
        return [], [ShopFinding(ERROR, "questions", FILE, f"it cannot be read: {reason}", remedy)]
    reader = _Lines(sections)
    questions = [question for number, line in enumerate(lines, 1) if (question := reader.read(number, line))]
    return questions, reader.found


class _Lines:
    def __init__(self, sections: Sequence[Section] | None) -> None:
        self.found: list[ShopFinding] = []
        self._asked: dict[str, tuple[int, str]] = {}
        self._keys = None if sections is None else {section.key.casefold(): section.key for section in sections}
        self._intents = skills.load().intents

    def read(self, number: int, line: str) -> Question | None:
        text, tab, answer = (part.strip() if part != "\t" else part for part in line.partition("\t"))
        if not line.strip() or line.startswith("#"):
            return None
        if not tab or not text or not answer or "\t" in answer:
            self._wrong(number, "it is not a question, one tab and an answer",
                               "question, tab (no blanks), then page#heading, refuse or an intent")  # fmt: skip
            return None
        before, wanted = self._asked.setdefault(text.casefold(), (number, answer))
        if wanted != answer:
            self._wrong(number, f"the question of line {before} is asked again for another answer",
                        "keep the line that is right, or page#heading | page#heading")  # fmt: skip
            return None
        if answer in REFUSE:
            return Question(number, text, REFUSAL)
        if "#" in answer:
            return self._page(number, text, answer)
        if answer not in self._intents:
            close = get_close_matches(answer, [*self._intents, *REFUSE], 1)
            self._wrong(number, f"'{answer}' is neither an intent nor a page#heading",
                               f"'{close[0]}', page#heading or refuse" if close else "page#heading, or refuse")
            return None
        return Question(number, text, INTENT, (answer,))

    def _page(self, number: int, text: str, answer: str) -> Question | None:
        wanted = tuple(_without_ending(part.strip()) for part in answer.split("|"))
        if self._keys is None:
            return Question(number, text, PAGE, wanted)
        for key in wanted:
            if key.casefold() not in self._keys:
                page = key.partition("#")[0].casefold()
                known = any(one.startswith(f"{page}#") for one in self._keys)
                close = get_close_matches(key.casefold(), list(self._keys), 1, 0.0)
                problem = f"page '{key.partition('#')[0]}' has no heading '{key.partition('#')[2]}'"
                self._wrong(number, problem if known else f"there is no page '{key.partition('#')[0]}'",
                                   f"'{self._keys[close[0]]}'?" if close else "write a page")  # fmt: skip
                return None
        return Question(number, text, PAGE, tuple(self._keys[key.casefold()] for key in wanted))

    def _wrong(self, number: int, problem: str, remedy: str) -> None:
        self.found.append(ShopFinding(ERROR, "questions", f"{FILE}:{number}", problem, remedy))


def _without_ending(key: str) -> str:
    """'delivery.html#Cost' as 'delivery#Cost': pages are named without the endings of their files."""
    page, mark, heading = key.partition("#")
    return f"{Path(page).with_suffix('').as_posix() if is_page(Path(page)) else page}{mark}{heading}"


def asked(
    questions: Sequence[Question], find: Callable[[str], Finding], label: Callable[[str], str] | None
) -> Iterator[ShopFinding]:
    """The questions that went wrong, and the shares that are right. `label` (a trained model's) only for intents."""
    right: dict[str, list[bool]] = {}
    for question in questions:
        if question.kind == INTENT and label is None:
            continue
        problem = _went_wrong(question, find, label)
        right.setdefault(question.kind, []).append(problem is None)
        if problem:
            yield ShopFinding(WARNING, "questions", f"{FILE}:{question.line}", f'"{question.text[:80]}" {problem}',
                              _REMEDIES[question.kind])  # fmt: skip
    results = [one for kind in right.values() for one in kind]
    if not results:
        return
    share = sum(results) / len(results)
    by_kind = ", ".join(f"{kind} {sum(of_kind)} of {len(of_kind)}" for kind, of_kind in right.items())
    problem = f"{sum(results)} of {len(results)} questions are answered right ({share:.2f}): {by_kind}"
    if share < RIGHT_FROM:
        yield ShopFinding(ERROR, "questions", FILE, f"{problem}. At least {RIGHT_FROM} must be",
                          "the lines named above: correct the pages, or what a line expects",
                          len(results) - sum(results))  # fmt: skip
    else:
        yield ShopFinding(INFORMATION, "questions", FILE, problem, count=len(results))


_REMEDIES = {
    PAGE: "say it in that section in the words that customers use, or correct what the line expects",
    REFUSAL: "if that section does answer it, write page#heading here; else narrow what the section seems to promise",
    INTENT: "a few phrases of that kind in data/nlu/, or correct what the line expects",
}


def _went_wrong(
    question: Question, find: Callable[[str], Finding], label: Callable[[str], str] | None
) -> str | None:
    if question.kind == INTENT and label is not None:
        said = label(question.text)
        return None if is_right(question.wanted[0], said) else f"is understood as {said}, not {question.wanted[0]}"
    finding = find(question.text)
    best = finding.best.key if finding.best and finding.answerable else None
    if question.kind == REFUSAL:
        return f"is answered from {best} instead of refused" if best else None
    if best in question.wanted:
        return None
    wanted = " or ".join(question.wanted)
    return f"is answered from {best} instead of {wanted}" if best else f"is refused, though {wanted} should answer it"
