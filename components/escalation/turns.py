"""The turns of a conversation as the policy sees them, and which of them the assistant could not resolve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, UserUtteranceReverted, UserUttered

import skills
from components.order_numbers.finding import ORDER
from skills import RETRY, UNRESOLVED

ESCALATE = "action_escalate"
NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
# Say that nothing was understood; Rasa's own says nothing at all, and stories tell of actions only.
FALLBACKS = frozenset({"action_clarify", "action_default_fallback"})


@dataclass
class Turn:
    """One exchange: what the customer said, and what the assistant did and answered, oldest first."""

    user: UserUttered
    actions: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)

    @property
    def unresolved(self) -> bool:
        """It wanted something, or could not be read, and got nothing.

        Small talk, courtesies, corrections and attempts at mischief want nothing; they end the row.
        """
        return not self.in_passing and (not FALLBACKS.isdisjoint(self.actions) or self._any(UNRESOLVED))

    @property
    def in_passing(self) -> bool:
        """A wrong number: it goes on with a row of failures and neither begins nor completes one."""
        return self._any(RETRY)

    @property
    def problem_shown(self) -> bool:
        """The assistant told of a late or missing order."""
        return any(skills.load().counting(name).problem for name in self.responses)

    def _any(self, counts_as: str) -> bool:
        return any(skills.load().counting(name).counts_as == counts_as for name in self.responses)

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
    """How many turns in a row, the newest first, were of no help; the newest may not be answered yet.

    One that names an order may yet be helped, in whatever words.
    """
    now = turns[0]
    hopeless = now.user.intent_name in NOT_UNDERSTOOD and not any(one["entity"] == ORDER for one in now.user.entities)
    if not (now.unresolved or (hopeless and not now.actions)):
        return 0
    return next(
        (count for count, turn in enumerate(turns) if count and not (turn.unresolved or turn.in_passing)), len(turns)
    )
