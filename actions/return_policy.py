"""Questions about returns, exchanges and refunds, answered from the shop's policy pages with the page's name.

What the pages do not answer is said to be so, with the offer of a person. The answer never depends on what the
customer's words ask the assistant to be or to ignore: they are only searched for.
"""

import logging

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

import skills
from actions.knowledge.answers.answering import GroundedAnswer, NotCovered, Overview, PolicyAnswers, Sought
from actions.knowledge.pages.documents import KnowledgeError
from actions.knowledge.retrieval.retriever import Earlier
from actions.llm.facts import facts
from actions.skill import services
from actions.skill.action import (
    BaseAction,
    Domain,
    Event,
    bot_events,
    follows,
    last_response,
    message_metadata,
    message_text,
)  # fmt: skip
from actions.skill.order_answers import told_lately
from actions.skill.registry import answering
from skills import CHANGE, DECLINED, NUMBER, OFFER, ORDER, ORDERS, POLICY, REFUND

log = logging.getLogger(__name__)

ANSWER, SAME = "utter_return_policy_answer", "utter_return_policy_same"
SURE = "utter_return_policy_sure"
NOT_COVERED, NOT_COVERED_AGAIN = "utter_return_policy_not_covered", "utter_return_policy_not_covered_again"
NEAREST = "utter_return_policy_not_covered_nearest"
NO_ORDER_BUT = "utter_return_policy_no_order"  # to whoever has no order that it could be about, in one bubble with that
TOPIC = "utter_return_policy_"
BACK_TO_A_QUESTION = 4  # turns in which a question of the pages is gone back to
QUESTION_SLOT, SOUGHT_SLOT = "policy_question", "policy_sought"
MAX_REMEMBERED_CHARS = 300
MIN_QUESTION_WORDS = 3  # words: "ok boss" asks nothing
REFUND_QUESTION = "how and when does my refund come"
# What a few words behind an answer about an order are about ("and if it doesn't?"), by that answer.
SITUATIONS = {
    "utter_order_status_not_received": "my parcel is marked as delivered but I did not get it",
    "utter_handoff_offer": "my parcel is marked as delivered but I did not get it",
    "utter_order_status_delivered": "my parcel was delivered",
    "utter_order_status_delayed": "my parcel is late",
    "utter_order_status_why_late": "my parcel is late",
    "utter_order_status_no_new_date": "my parcel is late",
    "utter_order_status_cancelled": REFUND_QUESTION,
    "utter_order_status_why_cancelled": REFUND_QUESTION,
}
ON_THE_WAY = "my parcel has not come yet"
FEW_WORDS = 5
TOPIC_ENTITY = "policy_topic"
# For a button whose title did not come along: what its topic asks.
TOPICS = {
    "return_window": "how many days do I have to return",
    "eligible_items": "what can I return",
    "refund_methods": "how do refunds work",
    "process_steps": "how do I return",
    "exceptions": "what if the item is damaged",
}


class ActionAnswerReturnPolicy(BaseAction):
    """Answer a question about the return policy."""

    only_tells = True

    def __init__(self, knowledge: PolicyAnswers | None = None) -> None:
        self._knowledge = knowledge

    def name(self) -> str:
        return "action_answer_return_policy"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        question = asked_question(tracker)
        try:
            knowledge = self._knowledge or await services.knowledge_when_built()
            said = next(bot_events(tracker), {})
            told = (said.get("metadata") or {}).get("policy_sections") or ()
            outcome = await knowledge.answer(question, _asked_before(tracker), told)
            for goes_on_from in (_order_told_of, _asked_before_the_order):
                if isinstance(outcome, NotCovered) and (earlier := goes_on_from(tracker)):
                    back = await knowledge.answer(question, earlier, told)
                    outcome = back if isinstance(back, GroundedAnswer) else outcome
        except KnowledgeError as error:
            log.error("knowledge.unavailable problem=%s", error)
            dispatcher.utter_message(response="utter_return_policy_unavailable")
            return []
        if isinstance(outcome, NotCovered) and (of_the_order := _asked_of_the_order(tracker)):
            return await of_the_order.answer(dispatcher, tracker, domain)
        if isinstance(outcome, Overview):
            dispatcher.utter_message(
                response="utter_return_policy_overview", answer=outcome.text, policy_pages=[outcome.section.page],
                policy_sections=[outcome.section.key],
            )
            return remember(None)
        if isinstance(outcome, NotCovered):
            if outcome.nearest:
                tell(dispatcher, outcome.nearest, question, NEAREST)
            else:
                response = NOT_COVERED_AGAIN if last_response(tracker) == NOT_COVERED else NOT_COVERED
                dispatcher.utter_message(response=response, policy_pages=[], llm=facts(outcome))
            return remember(question, outcome.sought)
        again = outcome.text in str(said.get("text") or "")  # the same words did not settle it
        return tell(dispatcher, outcome, question, SAME if again else ANSWER)


class ActionAnswerComplaint(BaseAction):
    """Something is wrong with what came, calmly told: what the pages say of it, and the offer of a person."""

    def __init__(self, knowledge: PolicyAnswers | None = None) -> None:
        self._knowledge = knowledge

    def name(self) -> str:
        return "action_answer_complaint"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        question = message_text(tracker)
        try:
            knowledge = self._knowledge or await services.knowledge_when_built()
            outcome = None if question.startswith("/") else await knowledge.answer(question)
        except KnowledgeError as error:
            log.error("knowledge.unavailable problem=%s", error)
            outcome = None
        if isinstance(outcome, GroundedAnswer):
            return tell(dispatcher, outcome, question, "utter_return_policy_complaint")
        dispatcher.utter_message(response="utter_handoff_offer")
        return []


class ActionSayIfSure(BaseAction):
    """"Are you sure?", behind an answer from the pages: that it stands there, and a person for what is special."""

    def name(self) -> str:
        return "action_say_if_sure"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        said = next(bot_events(tracker), {}).get("metadata") or {}
        about = {name: said.get(name) or [] for name in ("policy_pages", "policy_sections")}
        stands = about["policy_sections"] and said.get("utter_action") != SURE
        dispatcher.utter_message(response=SURE if stands else "utter_handoff_offer_still", **about)
        return []


async def told_from_pages(
    dispatcher: CollectingDispatcher,
    question: str,
    knowledge: PolicyAnswers | None = None,
    earlier: Earlier | None = None,
    response: str = ANSWER,
    least: float = 0.0,
) -> list[Event] | None:
    """Say what the pages answer, after `earlier`; None when they do not, cannot be read, or nothing was asked.

    `least`: how likely they must answer for their own words to be said; what an LLM wrote was checked.
    """
    if question.startswith("/") or (earlier is None and len(question.split()) < MIN_QUESTION_WORDS):
        return None
    try:
        outcome = await (knowledge or await services.knowledge_when_built()).answer(question, earlier)
    except KnowledgeError as error:
        log.error("knowledge.unavailable problem=%s", error)
        return None
    if not isinstance(outcome, GroundedAnswer) or (outcome.verdict != "supported" and outcome.score < least):
        return None
    return tell(dispatcher, outcome, question, response)


def tell(
    dispatcher: CollectingDispatcher,
    outcome: GroundedAnswer,
    question: str,
    response: str = ANSWER,
) -> list[Event]:
    """Say what the pages say, with the page's name."""
    dispatcher.utter_message(
        response=response,
        answer=outcome.text,
        source=", ".join(dict.fromkeys(section.page_title for section in outcome.quoted)),
        policy_pages=list(outcome.pages),
        policy_sections=[section.key for section in outcome.quoted],
        llm=facts(outcome),
    )
    return remember(question, outcome.sought)


def asked_question(tracker: Tracker) -> str:
    """The customer's words, or the question that was read from them; behind a button, its title."""
    if question := (tracker.latest_message or {}).get("question"):
        return str(question)
    text = message_text(tracker)
    if text.startswith("/"):
        topic = next(tracker.get_latest_entity_values(TOPIC_ENTITY), None)
        return str(message_metadata(tracker).get("typed") or TOPICS.get(topic or "") or "return policy")
    return str(text)


def _asked_before(tracker: Tracker) -> Earlier | None:
    """What a question may go on from: the one before, or what the records were asked about."""
    if (tracker.latest_message or {}).get("question"):
        return None  # said in full
    after = follows(tracker)
    if after == REFUND:
        return Earlier(REFUND_QUESTION)
    if after == OFFER:
        return _situation(tracker)
    return _remembered(tracker) if after in (POLICY, DECLINED, CHANGE, "") else None


def _order_told_of(tracker: Tracker) -> Earlier | None:
    """The situation of the order just told of, for a few words that say nothing by themselves."""
    leans = follows(tracker) == ORDER and len(message_text(tracker).split()) <= FEW_WORDS
    return _situation(tracker) if leans else None


def _situation(tracker: Tracker) -> Earlier:
    return Earlier(SITUATIONS.get(last_response(tracker), ON_THE_WAY))


def _asked_before_the_order(tracker: Tracker) -> Earlier | None:
    """What the pages were asked before an order came in between: "ok back to the blender, do you repair it"."""
    lately = any(name.startswith(TOPIC) for name, _ in told_lately(tracker, BACK_TO_A_QUESTION))
    return _remembered(tracker) if lately and follows(tracker) in (ORDER, ORDERS, NUMBER, OFFER) else None


def _asked_of_the_order(tracker: Tracker) -> BaseAction | None:
    """What answers a message that is no question for the pages, and alone surely asks about the order told of: "is it
    today?", after a question in between."""
    alone = skills.load().intents.get(str((tracker.latest_message or {}).get("alone") or ""))
    kind = answering(alone.name) if alone and alone.takes == skills.TAKES_ORDER else None
    return kind() if kind is not None and tracker.get_slot("order_number") else None


def _remembered(tracker: Tracker) -> Earlier | None:
    question, sought = tracker.get_slot(QUESTION_SLOT), tracker.get_slot(SOUGHT_SLOT)
    if not question:
        return None
    return Earlier(question, None if sought is None else tuple((str(key), float(share)) for key, share in sought))


def remember(question: str | None, sought: Sought = ()) -> list[Event]:
    """Keep the question and where its answer was sought, so that "and for shoes?" has something to follow."""
    kept = question[:MAX_REMEMBERED_CHARS] if question else None
    return [SlotSet(QUESTION_SLOT, kept), SlotSet(SOUGHT_SLOT, [list(one) for one in sought] if kept else None)]
