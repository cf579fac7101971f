"""A person should take over: EscalationPolicy decided so, or the customer accepted the offer."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

import settings
from actions.knowledge.answers.answering import PolicyAnswers
from actions.orders.lookup import Orders
from actions.skill import services
from actions.skill.action import BaseAction, Domain, Event, follows, message_metadata
from actions.skill.handing_over import prepare, worded
from actions.skill.order_answers import numbers_meant
from actions.skill.texts import Pieces
from handoff.jobs.transcript import transcript
from handoff.storage.database import HandoffUnavailable
from handoff.takeover.opening_hours import Opening
from handoff.takeover.service import HandoffService
from handoff.takeover.state_machine import Opened, Request

log = logging.getLogger(__name__)

DEFAULT_REASON, DEFAULT_PRIORITY = "human_requested", "HIGH"
ABOUT_AN_ORDER = frozenset({"", "order", "orders", "refund", "change", "offer"})
DRAFT_WAIT_S = 10.0  # a new ticket waits so long for an LLM's wording of its draft reply
PRIORITIES = ("MEDIUM", "HIGH", "CRITICAL")


Built = TypeVar("Built")


def _built(build: Callable[[], Built]) -> Built | None:
    """A capability, or None where it cannot be had now."""
    try:
        return build()
    except Exception as error:
        log.warning("handoff.brief.without error=%s", type(error).__name__)
        return None


@lru_cache(maxsize=1)
def _service() -> HandoffService:
    return HandoffService.from_settings(settings.load())


class ActionEscalate(BaseAction):
    """Call a person and say so; from then on the assistant is silent until the conversation comes back."""

    def __init__(
        self,
        service: HandoffService | None = None,
        orders: Orders | None = None,
        knowledge: PolicyAnswers | None = None,
    ) -> None:
        self._given, self._orders, self._knowledge = service, orders, knowledge
        self._wording: set[asyncio.Task[None]] = set()

    @property
    def service(self) -> HandoffService:
        return self._given or _service()

    def name(self) -> str:
        return "action_escalate"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        request, knowledge = _request(tracker), await self._pages()
        prepared = await prepare(tracker, request, self._orders or _built(services.orders), knowledge)
        wait_s = DRAFT_WAIT_S if prepared.question else 0.0
        try:
            opened = await self.service.call(request, prepared.brief, wait_s)
        except HandoffUnavailable as error:
            log.error("handoff.takeover.failed error=%s", error)
            dispatcher.utter_message(response="utter_handoff_unavailable")
            return _silence(forget=True)
        log.info("handoff.takeover.%s reference=%s", opened.outcome, opened.reference)
        if opened.outcome == "opened" and prepared.question and knowledge is not None:
            self._word(knowledge, prepared.question, opened.takeover_id)
        self._tell(dispatcher, opened, domain)
        return _silence()

    async def _pages(self) -> PolicyAnswers | None:
        try:
            return self._knowledge or await services.knowledge_when_built()
        except Exception as error:  # a shop without pages has people, too
            log.warning("handoff.brief.no_pages error=%s", type(error).__name__)
            return None

    def _word(self, knowledge: PolicyAnswers, question: str, takeover_id: int) -> None:
        """Have the LLM word the draft reply while the customer is told; the ticket waits for it a moment."""

        async def complete() -> None:
            try:
                reply, sources = await asyncio.wait_for(worded(knowledge, question), DRAFT_WAIT_S - 1)
            except Exception as error:  # the pages' own words stay
                log.warning("handoff.brief.not_worded error=%s", type(error).__name__)
                return
            await self.service.complete(takeover_id, reply, sources)

        task = asyncio.create_task(complete())
        self._wording.add(task)
        task.add_done_callback(self._wording.discard)

    def _tell(self, dispatcher: CollectingDispatcher, opened: Opened, domain: Domain) -> None:
        if opened.outcome == "already_waiting":
            dispatcher.utter_message(response="utter_handoff_already_waiting", reference=opened.reference)
            return
        closed_until = self.service.closed_until()
        if closed_until is None:
            dispatcher.utter_message(response="utter_handoff_connecting", reference=opened.reference)
            return
        dispatcher.utter_message(
            response="utter_handoff_connecting_out_of_hours",
            reference=opened.reference,
            opens=_in_words(closed_until, domain),
        )


def _request(tracker: Tracker) -> Request:
    metadata = message_metadata(tracker)
    priority = tracker.get_slot("escalation_priority")
    number = _order_meant(tracker)
    at = float(metadata.get("timestamp") or time.time())
    return Request(
        customer=str(metadata.get("customer") or tracker.sender_id),
        # Without a channel (rasa shell) each turn still needs an id of its own.
        wamid=str(metadata.get("wamid") or (tracker.latest_message or {}).get("message_id") or f"turn:{at}"),
        reason=str(tracker.get_slot("escalation_reason") or DEFAULT_REASON),
        priority=priority if priority in PRIORITIES else DEFAULT_PRIORITY,
        at=at,
        phone=metadata.get("phone"),
        profile_name=metadata.get("profile_name"),
        order_number=number,
        score_breakdown=_score_breakdown(tracker.get_slot("escalation_sheet")),
        transcript=transcript(tracker.events),
    )


def _order_meant(tracker: Tracker) -> str | None:
    """The order that the message names, else the one that the conversation is about; not one shown long before."""
    named = numbers_meant(tracker)
    if named:
        return named[0]
    number = tracker.get_slot("order_number")
    return str(number) if number and follows(tracker) in ABOUT_AN_ORDER else None


def _score_breakdown(score_breakdown: Any) -> tuple[tuple[str, str], ...]:
    """The detector's score breakdown as pairs, whatever shape the slot gives it."""
    if isinstance(score_breakdown, dict):
        return tuple((str(name), str(value)) for name, value in score_breakdown.items())
    rows: list[tuple[str, str]] = []
    for row in score_breakdown if isinstance(score_breakdown, (list, tuple)) else []:
        if isinstance(row, dict):
            name, *values = [str(value) for value in row.values()] or [""]
            rows.append((name, " ".join(values)))
        elif isinstance(row, (list, tuple)) and row:
            rows.append((str(row[0]), " ".join(str(value) for value in row[1:])))
        else:
            rows.append((str(row), ""))
    return tuple(rows)


def _in_words(opening: Opening, domain: Domain) -> str:
    pieces = Pieces(domain, "handoff")
    piece = {0: "opens_today", 1: "opens_tomorrow"}.get(opening.days, "opens_on_day")
    write = pieces.weekday if opening.days < 7 else pieces.near_day
    return pieces.fill(piece, hour=pieces.hour(opening.at.time()), day=write(opening.at.date()))


def _silence(forget: bool = False) -> list[Event]:
    """Nothing more in this turn, and no form left waiting for an answer."""
    slots = ("escalation_reason", "escalation_priority", "escalation_sheet") if forget else ()
    return [
        ActiveLoop(None),
        SlotSet("requested_slot", None),
        *[SlotSet(name, None) for name in slots],
        FollowupAction("action_listen"),
    ]
