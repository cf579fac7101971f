"""Whether an answer is one of those that a fair judge accepts.

    status X            status, date or details of order X ("any": of one of the customer's)
    says REGEX          the reply holds this
    choose              asks which of several orders, or shows them
    asks_number         asks for an order number, or says what one looks like
    refuses_order       cannot find that order for this phone
    policy A#B, C#D     an answer from one of these sections
    declines            says honestly that it does not know or cannot help with that
    offers_person       offers or announces a person
    confirms X, done X  asks whether to act on order X; says that it is passed on
    any                 any answer at all
    handover, silent, receipt, kept, greets, thanks, goodbye, bot, capabilities, clarifies, no_other
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.dialogues.cases import Dialogue, DialogueTurn
from workbench.dialogues.play import Played, Reply

_BY_RESPONSE = {
    "choose": r"order_status_(choose|all)|order_change_choose",
    "asks_number": r"order_number|ask_number|order_status_(no_open_orders|no_refund|no_other|misshaped)|not_found",
    "refuses_order": r"not_found",
    "declines": r"mischief|not_covered|out_of_scope|no_delivery_date|order_status_(delivery_date|why|not_known)"
    r"|_unavailable|clarification|cannot",
    "handover": r"handoff_(connecting|already)",
    "kept": r"order_change_kept|deny_ok",
    "greets": r"utter_greet|smalltalk",
    "thanks": r"thank|affirm_open|deny_ok|smalltalk|handoff_settled",
    "goodbye": r"goodbye|thank",
    "bot": r"bot_challenge|utter_greet|capabilities",
    "capabilities": r"capabilities|clarification|utter_greet|affirm_open",
    "clarifies": r"mischief|clarification|affirm_open|which_reading|smalltalk|handoff_cancelled|nobody_took_over",
    "no_other": r"no_other_order",
    "receipt": r"handoff_(receipt|waiting)",
}
WORDS = frozenset(
    {"any", "silent", "says", "policy", "status", "confirms", "done", "offers_person", *_BY_RESPONSE}
)
"""The first words of what may be right."""
_SECTION = re.compile(r", (?=[\w-]+#)")  # headings hold commas too
_PERSON = re.compile(r"person|human|colleague|support (agent|team)|insaan|kisi se baat|our team|team ka", re.I)
_CONFIRM = re.compile(r"order_change_(cancel|possible|on_the_way|return|finished|unavailable|resume|ask_)")


@dataclass(frozen=True)
class Verdict:
    """Of one turn."""

    right: bool
    wrong_ticket: bool
    missed_ticket: bool

    @property
    def passed(self) -> bool:
        return self.right and not self.wrong_ticket and not self.missed_ticket


def judge(dialogue: Dialogue, turn: DialogueTurn, played: Played, numbers: Mapping[str, str]) -> Verdict:
    """Hold what happened against what is right."""
    return Verdict(
        right=any(_fits(wanted, dialogue, played, numbers) for wanted in turn.right),
        wrong_ticket=turn.ticket == "no" and played.opened,
        missed_ticket=turn.ticket == "yes" and not played.ticket,
    )


def _fits(wanted: str, dialogue: Dialogue, played: Played, numbers: Mapping[str, str]) -> bool:
    kind, _, what = wanted.partition(" ")
    text = "\n".join("\n".join((reply.text, *reply.rows)) for reply in played.replies)
    if kind == "handover" and played.waiting:
        return True
    if kind == "any":
        return bool(played.replies)
    if kind == "silent":
        return not played.replies
    if kind == "says":
        return bool(re.search(what, text, re.I))
    if kind == "policy":
        sections = set(_SECTION.split(what))
        return any(sections & set(reply.sections) for reply in played.replies)
    if kind == "status":
        named = dialogue.orders if what == "any" else [what]
        return any(_tells(reply, numbers[name]) for reply in played.replies for name in named)
    if kind in ("confirms", "done"):
        about = [reply for reply in played.replies if numbers[what] in reply.text and _CONFIRM.search(reply.response)]
        return bool(about) if kind == "confirms" else played.opened or played.waiting or any(
            "done" in reply.response for reply in played.replies
        )  # fmt: skip
    if kind == "offers_person":
        return played.opened or any(_PERSON.search(" ".join((r.text, *r.buttons))) for r in played.replies)
    return any(re.search(_BY_RESPONSE[kind], reply.response) for reply in played.replies)


def _tells(reply: Reply, number: str) -> bool:
    about = reply.response.startswith("utter_order_status_") and "not_found" not in reply.response
    return about and number in reply.text
