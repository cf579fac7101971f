"""What the person who takes over should know first: gathered from the conversation, the orders and the pages.

Nothing here may keep a person away or let the customer wait: what does not answer within a moment is left out.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from rasa_sdk import Tracker

import skills
from actions.knowledge.answers.answering import GroundedAnswer, PolicyAnswers
from actions.orders.agent_lines import lines_of, lines_of_all, status_of
from actions.orders.lookup import Orders
from actions.skill.action import turns_backwards
from handoff.jobs.attempts import tried
from handoff.takeover.brief import Brief
from handoff.takeover.state_machine import Request

log = logging.getLogger(__name__)

WAIT_S = 1.5
MAX_QUESTIONS = 4
AN_UPSET_MESSAGE = "after an upset message"  # as EscalationPolicy's score breakdown says it
ONLY_ASKS_FOR_A_PERSON = "human_requested"
LANGUAGES = {
    "en": "English", "hinglish": "Hinglish", "hi": "Hindi", "pt": "Portuguese", "es": "Spanish", "de": "German",
    "fr": "French", "id": "Indonesian", "ar": "Arabic", "it": "Italian", "tr": "Turkish", "nl": "Dutch",
    "ru": "Russian",
}  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A brief, and the question whose answer an LLM may still word better; None: its draft reply is final."""

    brief: Brief
    question: str | None = None


async def prepare(
    tracker: Tracker, request: Request, orders: Orders | None, knowledge: PolicyAnswers | None
) -> Prepared:
    """What is known by now. Never raises."""
    language = LANGUAGES.get(str(tracker.get_slot("language") or ""), "")
    upset = any(name == AN_UPSET_MESSAGE for name, _ in request.score_breakdown)
    session = [event for turn in reversed(list(turns_backwards(tracker))) for event in turn]
    brief = Brief(language=language, upset=upset, tried=tried(session), files=tuple(_files(tracker)))
    told, (question, answer) = await asyncio.gather(_order(request, orders), _answer(tracker, request, knowledge))
    brief = replace(brief, order_status=told[0], order=told[1])
    if answer is None:
        return Prepared(brief)
    brief = replace(brief, reply=as_reply(answer), sources=answer.sources)
    return Prepared(brief, question if knowledge is not None and knowledge.writes else None)


async def worded(knowledge: PolicyAnswers, question: str) -> tuple[str, tuple[str, ...]]:
    """The reply as an LLM words it, else as the pages do; nothing where the pages, read again, do not answer."""
    outcome = await knowledge.answer(question)
    if isinstance(outcome, GroundedAnswer) and knowledge.holds(outcome, question):
        return as_reply(outcome), outcome.sources
    return "", ()


def as_reply(answer: GroundedAnswer) -> str:
    """Without empty lines, which end a paragraph of the note."""
    return "\n".join(line for line in answer.text.split("\n") if line.strip())


async def _order(request: Request, orders: Orders | None) -> tuple[str, tuple[str, ...]]:
    """Status and lines of the order meant, of all open ones where none is; only ever the customer's own."""
    if orders is None or not request.phone:
        return "", ()
    try:
        if request.order_number:
            found = await asyncio.wait_for(orders.find([request.order_number], request.phone), WAIT_S)
            order = next(iter(found.values()), None)
            return (status_of(order), lines_of(order)) if order else ("not an order of this phone", ())
        return "", lines_of_all(await asyncio.wait_for(orders.open_orders(request.phone), WAIT_S))
    except Exception as error:  # a person is called whatever the orders database does
        log.warning("handoff.brief.no_orders error=%s", type(error).__name__)
        return "", ()


async def _answer(
    tracker: Tracker, request: Request, knowledge: PolicyAnswers | None
) -> tuple[str | None, GroundedAnswer | None]:
    """The latest of the customer's messages that the pages answer, and the answer."""
    if knowledge is None:
        return None, None
    try:
        for question in islice(_questions(tracker, request), MAX_QUESTIONS):
            answer = await asyncio.wait_for(knowledge.quote(question), WAIT_S)
            if answer is not None:
                return question, answer
    except Exception as error:  # nor whatever the pages do
        log.warning("handoff.brief.no_answer error=%s", type(error).__name__)
    return None, None


def _questions(tracker: Tracker, request: Request) -> Iterator[str]:
    """What the customer typed in this session, newest first; not the wish for a person itself."""
    known = skills.load().intents
    for number, turn in enumerate(turns_backwards(tracker)):
        text, said = str(turn[0].get("text") or ""), (turn[0].get("parse_data") or {}).get("intent") or {}
        intent = known.get(str(said.get("name")))
        if not text or text.startswith("/") or (intent is not None and intent.small_talk):
            continue  # a button, greetings and thanks: what answers them answers by chance
        if not (number == 0 and request.reason == ONLY_ASKS_FOR_A_PERSON):
            yield text


def _files(tracker: Tracker) -> Iterator[tuple[str, str, str]]:
    """The customer's files of this session, oldest first."""
    for turn in reversed(list(turns_backwards(tracker))):
        for part in (turn[0].get("metadata") or {}).get("media") or ():
            if isinstance(part, dict) and part.get("id"):
                yield str(part["id"]), str(part.get("kind") or "file"), str(part.get("filename") or "")
