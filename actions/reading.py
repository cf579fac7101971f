"""An LLM reads what the customer's message means, where the settings ask it to; the assistant does the rest as ever.

`components.conversation.reading_policy` decides when, below EscalationPolicy. Whatever comes of it, the message is
taken back and said once more: with the meaning that was read, else with the assistant's own. So rules, forms and the
escalation policy see it as if it had been understood at once.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import skills
from actions.llm.commands import Command
from actions.llm.facts import facts
from actions.llm.reader import Reader
from actions.skill import services
from actions.skill.action import BaseAction, Domain, Event, intent_name, message_text
from actions.skill.order_answers import misshaped_in_message
from actions.skill.registry import answering
from actions.skill.situation import Situation, conversation
from actions.two_questions import TWO_QUESTIONS, WISHES

log = logging.getLogger(__name__)

CONFIDENCE = 0.9
QUESTION = "question"  # key of the parse data: what is asked of the pages, said in full
YES, YES_OR_NO = "affirm", frozenset({"affirm", "deny"})
PICKS = frozenset({"choose_order", "choose_all"})  # from a list


class ActionReadMessage(BaseAction):
    """Ask the reader, and say the message again. Says nothing itself."""

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader

    def name(self) -> str:
        return "action_read_message"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[Event]:
        account: dict[str, Any] = {"verdict": "unavailable"}
        meaning: dict[str, Any] = {}
        try:
            reader = self._reader or await asyncio.to_thread(services.reader)
            if reader is not None:
                situation = Situation.of(tracker)
                reading = await reader.read(
                    conversation(tracker, situation), lambda command: is_possible(command, situation, tracker, domain)
                )
                account, meaning = facts(reading), meant(reading.commands, situation, tracker)
        except Exception as error:
            log.error("reading.failed error=%s", type(error).__name__)
        return said_again(tracker, domain, meaning, account)


def is_possible(command: Command, situation: Situation, tracker: Tracker, domain: Domain) -> bool:
    """Whether this may be meant here: only orders of this conversation, a yes only to what is asked.

    A yes to something that would be done ("shall I have it cancelled?"), and whatever else a form takes for one, must
    be what the assistant itself reads: where it is unsure, it asks again.
    """
    named = command.names_an_order and command.order
    # A number that is none of this shop's is never answered with another order.
    if named and (situation.known(named) is None or misshaped_in_message(tracker)):
        return False
    if command.name in YES_OR_NO and not situation.offer:
        return False
    if command.name in PICKS and not (situation.listed or command.order):
        return False
    acts = command.name == situation.offer == YES
    acts = acts or any(slot["value"] for slot in filled_by(command.intent, tracker, domain))
    return not acts or command.intent == intent_name(tracker)


def meant(commands: Sequence[Command], situation: Situation, tracker: Tracker) -> dict[str, Any]:
    """What the commands change in the message's parse data; nothing where there are none."""
    commands = _that_count(commands, situation)
    if not commands:
        return {}
    entities = (tracker.latest_message or {}).get("entities") or []
    parts = [_part(command, situation, entities) for command in commands]
    if len(parts) == 1:
        return parts[0]
    text = message_text(tracker)
    wishes = [
        {"intent": part["intent"]["name"], "text": part.get(QUESTION) or text, "entities": part["entities"]}
        for part in parts
    ]
    return {"intent": {"name": TWO_QUESTIONS, "confidence": CONFIDENCE}, WISHES: wishes}


def _that_count(commands: Sequence[Command], situation: Situation) -> list[Command]:
    """Courtesies do not count beside a wish, nor a yes or no but to a form; of two wishes, both if both can be told."""
    small_talk = skills.load().small_talk
    idle = small_talk - YES_OR_NO if situation.form else small_talk
    wishes = [command for command in commands if command.name not in idle] or list(commands[-1:])
    told = [command for command in wishes if command.intent and answering(command.intent)]
    if len(wishes) < 2 or (len(told) == len(wishes) and not situation.form):
        return wishes
    doing = [command for command in wishes if command not in told]
    return (doing or wishes)[-1:]


def _part(command: Command, situation: Situation, entities: list[dict[str, Any]]) -> dict[str, Any]:
    number = situation.known(command.order) if command.names_an_order else None
    named = [{"entity": "order_number", "value": number}] if number else entities
    part = {"intent": {"name": command.intent, "confidence": CONFIDENCE}, "entities": named}
    return {**part, QUESTION: command.question} if command.question else part


def filled_by(intent: str | None, tracker: Tracker, domain: Domain) -> list[Event]:
    """The slots that a message of this intent fills here: Rasa does so before a turn, not when one is said again."""
    loop = (tracker.active_loop or {}).get("name")
    here = {"active_loop": loop, "requested_slot": tracker.get_slot("requested_slot")}
    return [
        {"event": "slot", "timestamp": None, "name": name, "value": mapping.get("value")}
        for name, slot in (domain.get("slots") or {}).items()
        for mapping in slot.get("mappings") or []
        if mapping.get("type") == "from_intent"
        and intent in _listed(mapping.get("intent"))
        and all(condition.items() <= here.items() for condition in mapping.get("conditions") or [])
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def said_again(tracker: Tracker, domain: Domain, meaning: dict[str, Any], account: dict[str, Any]) -> list[Event]:
    """Events that take the latest message back and bring it again, the same but for its meaning and who read it."""
    message = next(event for event in reversed(tracker.events) if event.get("event") == "user")
    parsed = {**(message.get("parse_data") or {}), **meaning}
    metadata = {**(message.get("metadata") or {}), "llm": account}
    return [
        {"event": "rewind", "timestamp": None},
        {"event": "action", "name": "action_listen", "timestamp": None},
        {**message, "timestamp": None, "parse_data": parsed, "metadata": metadata},
        *filled_by((parsed.get("intent") or {}).get("name"), tracker, domain),
    ]
