"""From a question to what the customer may be told: a grounded answer, an overview, or an honest "not covered"."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from actions.knowledge.answers.extractive import extract
from actions.knowledge.answers.writing import Draft, Writer
from actions.knowledge.grounding.verification import verify
from actions.knowledge.pages.documents import Section
from actions.knowledge.retrieval.retriever import Earlier, Finding, Retriever
from actions.knowledge.return_window import ReturnWindow, return_window
from actions.llm import metrics
from actions.llm.client import NO_USAGE, LlmFailed, Usage, within
from privacy.indic import SIGNS

log = logging.getLogger(__name__)

BUDGET_S = 8.0
MIN_REFUSAL_SCORE = 0.9
WORTH_ASKING = 0.15  # below this probability not even an LLM is asked
AS_GOOD_AS = 0.5  # of the best section's probability: from here on another one is quoted beside it
IN_CHAT = 0.3  # the same behind another question: of 2,003 such turns held out 0.81 hold the right one instead of 0.79
NOT_AGAIN = 0.05  # the same where the best one was told a moment ago: the same words alone would settle nothing
SURE_OF_A_HALF = 0.6  # score from which on half a message is a question of its own
MIN_WORDS_OF_A_HALF = 3
_JOINT = re.compile(r"(?<=\?)\s+|[,.;]?\s+(?:and|also|plus|aur|और|e|y|também|también)\s+(?:also\s+)?|\s+&\s+", re.I)
BESIDE_CHARS = 320  # of each of two
WORTH_SHOWING = 0.25  # from here on the nearest section is shown, as what may answer it
_ONLY_THE_TOPIC = frozenset((
    "return", "returns", "refund", "refunds", "exchange", "exchanges", "policy", "policies", "rule", "rules", "and",
    "or", "your", "the", "a", "of", "on", "about", "what", "whats", "what's", "is", "are", "tell", "me", "know", "more",
    "please", "pls", "info", "information", "details", "regarding", "can", "you", "i", "want", "to", "how", "do",
    "does", "it", "work", "conditions", "terms", "need", "us", "for", "hi", "hello", "kya", "hai", "batao", "ki", "ka",
    "also", "ur", "रिटर्न", "वापसी", "रिफंड", "एक्सचेंज", "पॉलिसी", "नीति", "नियम", "शर्तें", "क्या", "है", "हैं", "की", "का", "के",
    "आपकी", "आपके", "और", "बताओ", "बताइए", "मुझे",
))
_RETURNS = frozenset(("return", "returns", "रिटर्न", "वापसी"))
_TOPIC = frozenset(("policy", "policies", "rules", "conditions", "terms", "पॉलिसी", "नीति", "नियम", "शर्तें"))


Sought = tuple[tuple[str, float], ...]
"""Where the answer was sought: keys of sections with their probabilities, best first."""


@dataclass(frozen=True)
class GroundedAnswer:
    """Words for the customer with their proof.

    `verdict` is "supported" for a checked LLM answer, "extractive" where no LLM is configured, else why the LLM's
    answer was not used. `provider` is who wrote the words that are shown.
    """

    text: str
    section: Section
    pages: tuple[str, ...]
    verdict: str
    provider: str
    model: str | None = None
    usage: Usage = NO_USAGE
    latency_ms: int = 0
    sources: tuple[str, ...] = ()
    """The sections that it rests on, `page#heading` each."""
    sought: Sought = ()
    beside: Section | None = None
    """Another section that is quoted, where it may answer as well as the first."""
    score: float = 1.0
    """How likely retrieval thought that the pages answer."""

    @property
    def quoted(self) -> tuple[Section, ...]:
        """The section, and the one beside it."""
        return (self.section, self.beside) if self.beside else (self.section,)


@dataclass(frozen=True)
class NotCovered:
    """The policies do not answer this. `score` is how likely retrieval thought that they do.

    `nearest` is what they say that comes nearest, where it may well be the answer.
    """

    score: float
    verdict: str = "not_covered"
    provider: str = "none"
    model: str | None = None
    usage: Usage = NO_USAGE
    latency_ms: int = 0
    sought: Sought = ()
    nearest: GroundedAnswer | None = None


@dataclass(frozen=True)
class Overview:
    """The question names only the topic ("return policy?"): the section to begin with, and all pages to ask about."""

    text: str
    section: Section
    pages: tuple[str, ...]


Outcome = GroundedAnswer | NotCovered | Overview


class PolicyAnswers:
    """Answers questions about the shop's policies.

    `redact` takes personal data out of what the LLM gets. Raises KnowledgeError only when no page was ever readable.
    """

    def __init__(
        self, retriever: Retriever, writer: Writer | None, redact: Callable[[str], str], budget_s: float = BUDGET_S
    ) -> None:
        self._retriever = retriever
        self._writer = writer
        self._redact = redact
        self._budget_s = budget_s

    async def answer(self, question: str, earlier: Earlier | None = None, told: Collection[str] = ()) -> Outcome:
        """The outcome within the budget; `earlier` is the question before, for "and for shoes?", `told` the keys of
        the sections that were quoted a moment ago.
        """
        finding, beside = await asyncio.to_thread(self._find, question, earlier, told)
        outcome = await self._outcome(question, finding, beside)
        if isinstance(outcome, Overview):
            return outcome
        sought = tuple((passage.section.key, passage.probability) for passage in finding.passages)
        return replace(outcome, sought=sought, score=finding.score)

    def _find(self, question: str, earlier: Earlier | None, told: Collection[str]) -> tuple[Finding, Section | None]:
        """What is found, and the section to quote beside the best: that of a second question, or as good a one."""
        finding = self._retriever.find(question, earlier)
        halves = [self._retriever.find(half, None if n else earlier) for n, half in enumerate(halves_of(question))]
        score = min((half.score for half in halves), default=0.0)
        if score < SURE_OF_A_HALF or halves[0].best == halves[1].best:
            beside = _as_good(finding, told, IN_CHAT if earlier else AS_GOOD_AS)
            return finding, self._new_alone(question, finding, told) if earlier and beside is None else beside
        passages = tuple(half.passages[0] for half in halves)
        return replace(finding, passages=passages, score=score, answerable=True), halves[1].best

    def _new_alone(self, question: str, finding: Finding, told: Collection[str]) -> Section | None:
        """Where nothing new was found: what the question surely asks when nothing was said before it."""
        if finding.best is None or finding.best.key not in told:
            return None
        alone = self._retriever.find(question)
        return alone.best if alone.score >= SURE_OF_A_HALF and alone.best and alone.best.key not in told else None

    async def _outcome(self, question: str, finding: Finding, beside: Section | None) -> Outcome:
        section = finding.best
        if is_only_the_topic(question) and section is not None:
            pages = self._retriever.pages.pages
            return Overview(section.text, section, tuple(page.name for page in pages))
        if section is None or not (finding.answerable or (self._writer and finding.score >= WORTH_ASKING)):
            if section is None or finding.score < WORTH_SHOWING:
                return NotCovered(finding.score)
            return NotCovered(finding.score, nearest=self._extractive(question, section, "nearest", beside=beside))
        if self._writer is None:
            return self._extractive(question, section, "extractive", beside=beside)
        return await self._written(question, finding, self._writer)

    @property
    def writes(self) -> bool:
        """Whether an LLM words the answers."""
        return self._writer is not None

    async def quote(self, question: str) -> GroundedAnswer | None:
        """The pages' own words, at once, where they surely answer and the verifier finds nothing else in them."""
        finding = await asyncio.to_thread(self._retriever.find, question)
        if finding.best is None or not finding.answerable or is_only_the_topic(question):
            return None
        answer = self._extractive(question, finding.best, "extractive")
        return answer if self.holds(answer, question) else None

    def holds(self, answer: GroundedAnswer, question: str) -> bool:
        """Whether every sentence of an answer stands in its section, or was held against what it cites already."""
        texts = tuple(section.text for section in answer.quoted)
        return answer.verdict == "supported" or verify(answer.text, texts, question).supported

    def prepare(self) -> None:
        """Index the pages and load the embedding model now (blocking), so that no customer waits for it."""
        self._retriever.find("how many days")

    def return_window(self) -> ReturnWindow | None:
        """For how long an order can go back, where the pages say so (blocking). Raises KnowledgeError."""
        return return_window(self._retriever)

    async def close(self) -> None:
        """Give back the LLM's connections."""
        if self._writer is not None:
            await self._writer.close()

    async def _written(self, question: str, finding: Finding, writer: Writer) -> Outcome:
        section, asked = finding.sections[0], finding.question
        started = time.monotonic()
        draft: Draft | None = None
        usage = NO_USAGE
        try:
            writing = writer.write(self._redact(asked), finding.sections)
            draft = await within(self._budget_s, writing)
            reason, usage = self._judge(draft, asked), draft.usage
        except LlmFailed as failure:
            reason, usage = failure.reason, failure.usage
        seconds = time.monotonic() - started
        latency_ms = round(seconds * 1000)
        metrics.count(writer.provider, metrics.ANSWERING, _outcome(reason, draft), seconds, usage)
        log.info("knowledge.answer.judged provider=%s verdict=%s latency_ms=%d", writer.provider, reason, latency_ms)
        if draft is not None and reason == "supported":
            cited = _cited(draft, finding)
            pages = tuple(dict.fromkeys(section.page for section in cited))
            return GroundedAnswer(
                draft.text, cited[0], pages, reason, writer.provider, draft.model, usage, latency_ms,
                tuple(section.key for section in cited),
            )  # fmt: skip
        if (reason == "not_covered" and finding.score < MIN_REFUSAL_SCORE) or not finding.answerable:
            return NotCovered(finding.score, reason, writer.provider, writer.model, usage, latency_ms)
        return self._extractive(question, section, reason, writer.model, usage, latency_ms)

    def _judge(self, draft: Draft, asked: str) -> str:
        if not draft.covered:
            return "not_covered"
        return verify(draft.text, draft.passages, asked).reason

    def _extractive(
        self,
        question: str,
        section: Section,
        verdict: str,
        model: str | None = None,
        usage: Usage = NO_USAGE,
        ms: int = 0,
        beside: Section | None = None,
    ) -> GroundedAnswer:
        readable, quoted = self._retriever.readable(question), (section, beside) if beside else (section,)
        text = extract(section, readable)
        if beside:
            text = "\n\n".join(f"*{one.heading}*\n{extract(one, readable, BESIDE_CHARS)}" for one in quoted)
        pages, sources = dict.fromkeys(one.page for one in quoted), tuple(one.key for one in quoted)
        return GroundedAnswer(
            text, section, tuple(pages), verdict, "extractive", model, usage, ms, sources, beside=beside
        )  # fmt: skip


def is_only_the_topic(question: str) -> bool:
    """Whether nothing but the topic is named: "return policy?", "tell me about your exchange rules"."""
    words = re.findall(rf"[a-z'{SIGNS}]+", question.lower())
    names_topic = bool(_TOPIC & set(words)) or (len(words) <= 2 and bool(_RETURNS & set(words)))
    return bool(words) and names_topic and set(words) <= _ONLY_THE_TOPIC


def halves_of(question: str) -> list[str]:
    """The two questions of a message that may hold two; else none. A word or two in front belong to what follows."""
    halves: list[str] = []
    for part in _JOINT.split(question):
        if halves and len(halves[-1].split()) < MIN_WORDS_OF_A_HALF:
            halves[-1] += f" {part.strip()}"
        else:
            halves.append(part.strip())
    return halves if len(halves) == 2 and all(len(half.split()) >= MIN_WORDS_OF_A_HALF for half in halves) else []


def _as_good(finding: Finding, told: Collection[str], share: float) -> Section | None:
    """The second section, where it may well be the one that answers: from `share` of the best one's probability on."""
    if not finding.passages:
        return None
    first, *others = finding.passages[:2]
    share = NOT_AGAIN if first.section.key in told else share
    return next((one.section for one in others if one.probability >= share * first.probability), None)


def _outcome(reason: str, draft: Draft | None) -> str:
    """The verdict as one of the metrics' outcomes: what was written and is not shown was rejected."""
    if draft is None:
        return metrics.outcome_of(reason)
    return {"supported": "grounded", "not_covered": "not_covered"}.get(reason, "rejected")


def _cited(draft: Draft, finding: Finding) -> list[Section]:
    """The sections that the passages come from, best first; the best one when none can be told."""
    cited = [s for s in finding.sections if any(passage and passage in s.text for passage in draft.passages)]
    return cited or [finding.sections[0]]
