"""The turns of a conversation as the policy sees them, and which of them the assistant could not resolve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, UserUtteranceReverted, UserUttered

ESCALATE = "action_escalate"
NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
UNRESOLVED_PREFIXES = ("utter_clarification_", "utter_fallback_")
# A turn that wanted something, or could not be read, and got nothing. Small talk, courtesies, corrections and attempts
# at mischief want nothing; they end the row.
UNRESOLVED = frozenset(
    {
        "action_clarify",
        "action_default_fallback",
        "utter_order_status_unavailable",
        "utter_return_policy_not_covered",
    }
)
# A wrong number goes on with a row of failures and neither begins nor completes one: the answer asks for the right one.
IN_PASSING = frozenset(
    {"utter_order_status_not_found", "utter_order_change_not_found", "utter_order_status_misshaped"}
)
PROBLEM_SHOWN = ("utter_order_status_delayed", "utter_order_status_not_found", "utter_order_status_unclear")


@dataclass
class Turn:
    """One exchange: what the customer said, and what the assistant did and answered, oldest first."""

    user: UserUttered
    actions: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)

    @property
    def unresolved(self) -> bool:
        return not self.in_passing and any(
            name in UNRESOLVED or name.startswith(UNRESOLVED_PREFIXES) for name in (*self.actions, *self.responses)
        )

    @property
    def in_passing(self) -> bool:
        """No help, but nothing that a person is needed for."""
        return any(name in IN_PASSING for name in self.responses)

    @property
    def problem_shown(self) -> bool:
        """The assistant told of a late or missing order."""
        return any(name in PROBLEM_SHOWN for name in self.responses)

    @property
    def typed(self) -> str:
        """The customer's words; a pressed button has none."""
        text = self.user.text or ""
        return "" if text.startswith("/") else text


def turns_backwards(events: Any) -> Iterator[Turn]:
    """The turns of this session, newest first; reads no further back than it is asked to.

    A message that was taken back, as when it comes again with its meaning settled, is no turn.
    """
    actions: list[str] = []
    responses: list[str] = []
    taken_back = False
    for event in reversed(events):
        if isinstance(event, SessionStarted):
            return
        if isinstance(event, UserUtteranceReverted):
            taken_back = True
        elif isinstance(event, UserUttered):
            if not taken_back:
                yield Turn(event, actions[::-1], responses[::-1])
            actions, responses, taken_back = [], [], False
        elif isinstance(event, ActionExecuted) and event.action_name not in (ACTION_LISTEN_NAME, None):
            actions.append(event.action_name)
        elif isinstance(event, BotUttered):
            responses.append(str((event.metadata or {}).get("utter_action") or ""))


def unresolved_run(turns: Sequence[Turn]) -> int:
    """How many turns in a row, the newest first, were of no help; the newest may not be answered yet."""
    now = turns[0]
    if not (now.unresolved or (not now.actions and now.user.intent_name in NOT_UNDERSTOOD)):
        return 0
    return next(
        (count for count, turn in enumerate(turns) if count and not (turn.unresolved or turn.in_passing)), len(turns)
    )
