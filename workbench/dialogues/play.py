"""Plays dialogues with the trained model and the actions in this process, without servers.

While a person has the conversation the assistant is not asked, as in the channel: what the customer writes goes to the
ticket, until they go back to the assistant.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from connectors.dialogue.wishes import wish_of
from handoff.configuration import HandoffConfiguration
from handoff.takeover.customer_messages import Wish, wants_assistant
from workbench.dialogues.cases import Dialogue, filled
from workbench.dialogues.shop import numbers_of, phone_of
from workbench.talk.agent import load_agent

ESCALATE = "action_escalate"
TIMEOUT_S = 240.0  # for a turn; the first one loads what actions need, on a machine that may be busy
BACK: dict[Wish, str] = {"assistant": "utter_handoff_cancelled_by_customer", "settled": "utter_handoff_settled"}


@dataclass(frozen=True)
class Reply:
    """One bubble: its response's name (may be ''), text, button titles, and what its metadata says it is about."""

    response: str
    text: str
    buttons: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    payloads: Mapping[str, str] = field(default_factory=dict)  # title of a button or row → what a tap on it sends


@dataclass
class Played:
    """What one message led to."""

    said: str
    intent: str = ""
    confidence: float = 0.0
    after: str = ""  # what the message follows, as the model was told
    actions: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    ticket: bool = False  # a person has the conversation after this turn
    opened: bool = False  # this turn called them
    waiting: bool = False  # a person had the conversation before it
    reason: str = ""
    read: dict[str, Any] | None = None  # the account of the LLM that was asked what the message means


class InProcessActions:
    """What Rasa calls instead of an action server over HTTP; holds the actions of `actions/`."""

    def __init__(self) -> None:
        from rasa_sdk.executor import ActionExecutor

        self.kwargs: dict[str, Any] = {}
        self._executor = ActionExecutor()
        self._executor.register_package("actions")

    async def request(self, method: str = "post", **arguments: Any) -> Any:
        """As rasa.utils.endpoints.EndpointConfig.request."""
        return await self._executor.run(arguments["json"])


def agent_with_actions(archive: Path) -> Any:
    """The trained model with the actions in this process."""
    agent = load_agent(archive)
    agent.action_endpoint = agent.processor.action_endpoint = InProcessActions()
    return agent


async def play(archive: Path, dialogues: Sequence[Dialogue], handoff: HandoffConfiguration) -> list[list[Played]]:
    """Every dialogue, a customer each, in turn."""
    agent = agent_with_actions(archive)
    return [await _play(agent, index, dialogue, handoff) for index, dialogue in enumerate(dialogues)]


async def _play(agent: Any, index: int, dialogue: Dialogue, handoff: HandoffConfiguration) -> list[Played]:
    numbers, phone = numbers_of(index), phone_of(index)
    waiting, played, seen = False, [], 0
    for turn in dialogue.turns:
        text = filled(turn.say, numbers)
        one = Played(text, waiting=waiting)
        wish = await _wish(agent, text, handoff) if waiting else None
        if wish in BACK:
            one.replies.append(Reply(BACK[wish], ""))
            waiting = False
        elif wish or not waiting:
            events = await say(agent, phone, text, metadata_of(text, phone))
            note(one, events[seen:])
            seen = len(events)
            waiting = one.opened
        one.ticket = waiting
        played.append(one)
    return played


async def _wish(agent: Any, text: str, handoff: HandoffConfiguration) -> Wish | None:
    dismisses = partial(wants_assistant, configuration=handoff)
    return await wish_of(text, agent.parse_message, dismisses) or ("assistant" if dismisses(text) else None)


async def say(agent: Any, sender: str, text: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """One message of a conversation; all events of the conversation afterwards."""
    from rasa.core.channels import CollectingOutputChannel, UserMessage

    message = UserMessage(text, CollectingOutputChannel(), sender, metadata=metadata)
    await asyncio.wait_for(agent.handle_message(message), TIMEOUT_S)
    tracker = await agent.tracker_store.retrieve(sender)
    return [event.as_dict() for event in tracker.events]


def note(one: Played, events: list[dict[str, Any]]) -> None:
    """Put down what the events of its turn say."""
    for event in events:
        kind, metadata = event["event"], event.get("metadata") or {}
        if kind == "user":
            parsed = event.get("parse_data") or {}
            intent, one.after = parsed.get("intent") or {}, str(parsed.get("after") or "")
            one.read = metadata.get("llm")
            one.intent, one.confidence = intent.get("name") or "", float(intent.get("confidence") or 0)
        elif kind == "action" and event.get("name") not in ("action_listen", "action_session_start"):
            one.actions.append(str(event["name"]))
            one.opened = one.opened or event["name"] == ESCALATE
        elif kind == "slot" and event["name"] == "escalation_reason" and event.get("value"):
            one.reason = str(event["value"])
        elif kind == "bot":
            data = event.get("data") or {}
            rows = ((data.get("custom") or {}).get("rows")) or []
            buttons = data.get("buttons") or []
            one.replies.append(
                Reply(
                    str(metadata.get("utter_action") or ""),
                    str(event.get("text") or (data.get("custom") or {}).get("body") or ""),
                    tuple(str(button.get("title")) for button in buttons),
                    tuple(map(str, metadata.get("policy_sections") or ())),
                    tuple(f"{row.get('title')} {row.get('description')}" for row in rows),
                    metadata,
                    {str(o["title"]): str(o["payload"]) for o in (*buttons, *rows) if o.get("payload")},
                )
            )


def metadata_of(text: str, phone: str) -> dict[str, Any]:
    """What the channel would have set for a typed message."""
    now = time.time()
    return {
        "wamid": f"dialogue.{phone}.{now}", "customer": phone.lstrip("+"), "wa_id": phone.lstrip("+"), "user_id": None,
        "phone": phone, "profile_name": None, "kind": "text", "timestamp": int(now), "typed": text, "reply_to": None,
        "media": [], "received_at": now,
    }  # fmt: skip
