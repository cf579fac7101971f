"""The decision: a pure function over what is known of a turn.

The learner gives the probability of each reason for a person. The likeliest reason's threshold decides, words that
always call a person call one, and so does a run of turns in which the assistant could not help. Every decision carries
a score breakdown that says in plain words why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from components.escalation.examples import REASONS
from components.escalation.reasons import Opinion, Reader
from components.escalation.settings import EscalationSettings, default_settings
from components.text.message_text import folded

PRIORITY_OF = {
    "complaint": "CRITICAL",
    "refund_request": "HIGH",
    "human_requested": "HIGH",
    "frustration": "HIGH",
    "repeated_failure": "MEDIUM",
}
_URGENCY = {"MEDIUM": 1, "HIGH": 2, "CRITICAL": 3}
_REASON_OF_INTENT = {"request_human": "human_requested", "request_refund": "refund_request"}
_SURE_INTENT = 0.8
_ALSO = 0.4  # of the likeliest reason's probability: from here on another one is meant as well
_UPSET = 0.3  # probability that an earlier message needed a person, from which on its mood lasts
_ODDS_IN_CONTEXT = 2.0  # after news of a late or lost order, or after an upset message
_ODDS_OF_INTENT = 10.0
_UNDERSTOOD = 0.4  # from this confidence on, understanding speaks against a need; at 0.98 the odds sink to the least
_ODDS_IN_DOUBT = 1.5
_MIN_ODDS = 0.03
_MIN_ODDS_OF = {"complaint": 0.2}  # "unacceptable! where is my order": the question is clear, and so is the anger


@dataclass(frozen=True)
class TurnContext:
    """What is known when the customer has spoken. `earlier`: their messages before this one, newest last."""

    text: str
    intent: str | None = None  # of a pressed button, or what the caller is sure of
    confidence: float = 1.0
    unresolved_turns: int = 0  # in a row, this one included
    earlier: tuple[str, ...] = ()
    order_problem_shown: bool = False  # the assistant's last answer told of a late or missing order
    understood: float = 0.0  # how surely the message, read in its conversation, wants what the assistant can answer


@dataclass(frozen=True)
class Assessment:
    """The decision. `score` is 0 to 1, one half at the threshold; its breakdown, pairs of what and how much."""

    escalate: bool
    reason: str | None
    priority: str | None
    score: float
    score_breakdown: tuple[tuple[str, str], ...]


def assess(turn: TurnContext, reader: Reader, settings: EscalationSettings | None = None) -> Assessment:
    """Decide. Without settings, those of config.yml (raises EscalationConfigError)."""
    settings = settings or default_settings()
    said = reader.read(turn.text).probabilities if any(map(str.isalpha, turn.text)) else {}
    reason, probability, why = _weighed(turn, said, reader)
    threshold = settings.thresholds[reason]
    holding = {reason: _score(probability, threshold)} if probability >= threshold else {}
    always = {each: _found(turn.text, words) for each, words in settings.always.items()}
    holding |= {each: 1.0 for each, words in always.items() if words}
    if holding and probability >= threshold:
        holding |= {each: holding[reason] for each in REASONS if said.get(each, 0.0) >= _ALSO * said.get(reason, 1.0)}
    if turn.unresolved_turns >= settings.unresolved_turns:
        holding["repeated_failure"] = 0.5
    if not holding:
        return Assessment(False, None, None, min(_score(probability, threshold), 0.499), ())
    chosen = max(holding, key=lambda each: (_URGENCY[PRIORITY_OF[each]], holding[each], each == reason))
    if chosen == "repeated_failure":
        score_breakdown = [("unresolved turns in a row", f"{turn.unresolved_turns} of {settings.unresolved_turns}")]
    else:
        score_breakdown = [(_plain(chosen), f"probability {said[chosen]:.2f}")] if chosen in said else []
        score_breakdown += [("needs a person", f"probability {probability:.2f}, called from {threshold:.2f}"), *why]
        score_breakdown += [("always calls a person", words) for words in always.get(chosen, ())]
        score_breakdown += [
            (f"like the example ({_plain(label)})", text) for label, text in _examples(turn.text, reader)
        ]
    return Assessment(True, chosen, PRIORITY_OF[chosen], holding[chosen], tuple(score_breakdown))


def _weighed(turn: TurnContext, said: Mapping[str, float], reader: Reader) -> tuple[str, float, list[tuple[str, str]]]:
    """The likeliest reason, the probability that a person is needed, and what of the conversation changed it."""
    reason = max(REASONS, key=lambda each: said.get(each, 0.0))
    need, why = Opinion(said).need if said else 0.0, []
    wished = _REASON_OF_INTENT.get(turn.intent or "")
    if wished and turn.confidence >= _SURE_INTENT:
        why.append((f"intent {turn.intent}", f"confidence {turn.confidence:.2f}"))
        reason, need = (wished, turn.confidence) if not said else (reason, _times(need, _ODDS_OF_INTENT))
    if not said:
        return reason, need, why
    if turn.understood >= _UNDERSTOOD:
        why.append(("understood as something to answer", f"confidence {turn.understood:.2f}, counts less"))
        least = _MIN_ODDS_OF.get(reason, _MIN_ODDS)
        need = _times(need, min(1.0, max(least, _ODDS_IN_DOUBT * (1 - turn.understood))))
    upset = any(reader.read(text).need >= _UPSET for text in turn.earlier if any(map(str.isalpha, text)))
    if turn.order_problem_shown or upset:
        after = "news of a late or missing order" if turn.order_problem_shown else "an upset message"
        why.append((f"after {after}", "counts double"))
        need = _times(need, _ODDS_IN_CONTEXT)
    return reason, need, why


def _times(probability: float, odds: float) -> float:
    return odds * probability / (1 + (odds - 1) * probability)


def _score(probability: float, threshold: float) -> float:
    """0 to 1, one half at the threshold."""
    below = 0.5 * probability / threshold
    return round(below if below < 0.5 else 0.5 + 0.5 * (probability - threshold) / (1 - threshold), 3)


def _found(text: str, phrases: tuple[str, ...]) -> tuple[str, ...]:
    words = f" {' '.join(folded(text).split())} ".replace(",", " ").replace(".", " ")
    return tuple(phrase for phrase in phrases if f" {folded(phrase)} " in words)


def _examples(text: str, reader: Reader) -> list[tuple[str, str]]:
    return reader.nearest(text) if any(map(str.isalpha, text)) else []


def _plain(reason: str) -> str:
    return reason.replace("_", " ")
