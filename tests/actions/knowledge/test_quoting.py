"""What is quoted when no LLM writes: the sections, the topic, the question before, and where a text is cut."""

from __future__ import annotations

from typing import cast

import pytest

from actions.knowledge.answers.answering import (
    GroundedAnswer,
    NotCovered,
    Overview,
    PolicyAnswers,
    halves_of,
    is_only_the_topic,
)
from actions.knowledge.answers.extractive import extract
from actions.knowledge.pages.documents import Section
from actions.knowledge.retrieval.retriever import Earlier, Finding, Passage, Retriever
from privacy.redaction import redact

QUESTION = "how many days do I have to return clothing?"
DAYS = Section("window", "Return window", "How many days", "You have 30 days.", ("You have 30 days.",))
START = Section("steps", "How to return", "Start a return", "Tap Return.", ("Tap Return.",))
BOTH, ONE = ["window#How many days", "steps#Start a return"], ["window#How many days"]
BEFORE = Earlier("can I return a lamp")
SECTION = Section("p", "P", "Fees", "", (
    "Pick-up is free for exchanges.", "It is cheap.", "There is no restocking fee for shoes.", "Ask us.",
))


class Found:
    """A retriever that has found this."""

    def __init__(self, score: float, *passages: Passage) -> None:
        self.finding = Finding("?", passages, score, score >= 0.5)

    def find(self, question: str, earlier: Earlier | None = None) -> Finding:
        return self.finding

    def readable(self, question: str) -> str:
        return question


def quoting(retriever: Retriever | Found) -> PolicyAnswers:
    return PolicyAnswers(cast(Retriever, retriever), None, redact)


@pytest.mark.parametrize(("second", "earlier", "sections"), [(0.4, None, BOTH), (0.1, None, ONE), (0.2, None, ONE),
                                                             (0.2, BEFORE, BOTH), (0.1, BEFORE, ONE)])  # fmt: skip
async def test_two_sections_are_quoted_where_either_may_be_the_one_that_answers_the_sooner_in_a_chat(
    second: float, earlier: Earlier | None, sections: list[str]
) -> None:
    found = Found(0.9, Passage(DAYS, 0.5), Passage(START, second))
    outcome = await quoting(found).answer("how do I return", earlier)
    assert isinstance(outcome, GroundedAnswer)
    assert [section.key for section in outcome.quoted] == list(outcome.sources) == sections
    assert ("Tap Return." in outcome.text) == (len(sections) == 2)


@pytest.mark.parametrize(("message", "halves"), [
    ("is pick-up free and how long does a refund take", ["is pick-up free", "how long does a refund take"]),
    ("ok and who collects it? also when is it paid", ["ok who collects it?", "also when is it paid"]),
    ("can I return a shirt and a bag", []),
])  # fmt: skip
def test_a_message_is_halved_where_two_questions_meet(message: str, halves: list[str]) -> None:
    assert halves_of(message) == halves


@pytest.mark.parametrize(("score", "shown"), [(0.4, True), (0.2, False)])
async def test_what_may_well_answer_is_kept_beside_the_refusal(score: float, shown: bool) -> None:
    found = Found(score, Passage(DAYS, score))
    outcome = await quoting(found).answer("how long is it")
    assert isinstance(outcome, NotCovered)
    assert (outcome.nearest is not None and outcome.nearest.section == DAYS) == shown


async def test_a_follow_up_borrows_the_question_before(retriever: Retriever) -> None:
    outcome = await quoting(retriever).answer("and furniture?", Earlier("how many days do I have to return"))
    assert isinstance(outcome, GroundedAnswer)
    assert outcome.section.page == "return_window"
    assert outcome.text.startswith("Furniture has 14 days.")


async def test_a_new_question_does_not_borrow(retriever: Retriever) -> None:
    before = Earlier("how many days do I have to return")
    outcome = await quoting(retriever).answer("can I return sale items", before)
    assert isinstance(outcome, GroundedAnswer)
    assert outcome.section.page == "exceptions"


async def test_an_answer_tells_where_it_was_sought(retriever: Retriever) -> None:
    outcome = await quoting(retriever).answer(QUESTION)
    assert isinstance(outcome, GroundedAnswer)
    (best, share), *_ = outcome.sought
    assert best == outcome.section.key
    assert 0.5 < share <= 1


@pytest.mark.parametrize(
    "words", ["return policy?", "Returns", "tell me about your refund policy", "exchange rules", "रिटर्न पॉलिसी क्या है"]
)
async def test_only_the_topic_gets_an_overview(retriever: Retriever, words: str) -> None:
    assert is_only_the_topic(words)
    outcome = await quoting(retriever).answer(words)
    assert isinstance(outcome, Overview)
    assert outcome.pages == ("exceptions", "return_window")


@pytest.mark.parametrize(
    "words", ["return policy for shoes", "how do refunds work for cash", "hello", "", "policy on bras"]
)
def test_a_question_with_a_subject_is_not_only_the_topic(words: str) -> None:
    assert not is_only_the_topic(words)


@pytest.mark.parametrize(("question", "opening"), [
    ("is there a restocking fee", "There is no restocking fee for shoes."),
    ("what does pick-up cost", "Pick-up is free for exchanges."),
    ("anything", "Pick-up is free for exchanges."),
])
def test_the_sentence_that_answers_comes_first(question: str, opening: str) -> None:
    assert extract(SECTION, question).startswith(opening)


def test_a_long_section_is_cut_at_whole_sentences() -> None:
    sentences = tuple(f"Sentence number {n} says a thing about returns." for n in range(40))
    text = extract(Section("p", "P", "H", " ".join(sentences), sentences), "thing")
    assert len(text) <= 500
    assert all(part + "." in sentences for part in text.rstrip(".").split(". "))
