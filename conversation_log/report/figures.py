"""The figures of a period, gathered one conversation at a time in memory that does not grow with their number."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conversation_log.model.judgements import is_unresolved_reply
from conversation_log.model.records import moment
from conversation_log.report.quantiles import Durations
from conversation_log.report.ratings import Ratings
from privacy.redaction import redact

SAMPLE = 3000
# US dollars for a million tokens: in, out. A model that is not listed is counted without a price.
PRICES = {
    "claude-haiku-5-5": (0.10, 0.50),
    "claude-sonnet-5-5": (2.0, 10.0),
    "claude-opus-5-5": (4.0, 20.0),
}
OUTCOMES = ("resolved", "escalated", "abandoned", "open")

Record = Mapping[str, Any]


@dataclass
class LlmUse:
    """What one model did."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    verdicts: Counter[str] = field(default_factory=Counter)
    latency: Durations = field(default_factory=Durations)


@dataclass
class Figures:
    """Everything that the report shows. Feed it records with `take`."""

    conversations: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    by_day: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    cost_by_day: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    escalations: Counter[tuple[str, str]] = field(default_factory=Counter)
    intents: Counter[str] = field(default_factory=Counter)
    intents_unresolved: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    confidence: list[int] = field(default_factory=lambda: [0] * 20)
    delivery: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    llm: dict[str, LlmUse] = field(default_factory=lambda: defaultdict(LlmUse))
    answers: Durations = field(default_factory=Durations)
    first_answers: Durations = field(default_factory=Durations)
    first_agent_words: Durations = field(default_factory=Durations)
    ratings: Ratings = field(default_factory=Ratings)
    answered: int = 0  # turns
    in_several: int = 0  # turns that were answered in more than one message: each is billed
    unresolved_messages: int = 0
    unresolved: list[str] = field(default_factory=list)
    first: str | None = None
    last: str | None = None
    _random: random.Random = field(default_factory=lambda: random.Random(7), repr=False)  # noqa: S311 (a sample)

    @property
    def containment(self) -> float | None:
        """The share of ended conversations that were resolved without a person."""
        return contained(self.outcomes)

    @property
    def cost_usd(self) -> float:
        """What all models cost together, as far as their prices are known."""
        return sum(use.cost_usd or 0.0 for use in self.llm.values())

    def take(self, record: Record) -> None:
        """Count one conversation."""
        day = self.by_day[record["timestamp_start"][:10]]
        day["conversations"] += 1
        day[record["resolution_status"]] += 1
        self.conversations += 1
        self.outcomes[record["resolution_status"]] += 1
        self.first = min(filter(None, (self.first, record["timestamp_start"])))
        self.last = max(filter(None, (self.last, record["timestamp_end"])))
        if record["resolution_status"] == "escalated":
            priority = record.get("escalation_priority") or "unknown"
            self.escalations[(record["escalation_reason"] or "unknown", priority)] += 1
        spent = self.cost_usd
        turns: dict[int, list[Record]] = defaultdict(list)
        for message in record["messages"]:
            turns[message["turn"]].append(message)
            self.messages[message["role"]] += 1
            day["messages"] += 1
        for number, said in enumerate(turns.values()):
            self._take_turn(said, is_first=number == 0)
        self._take_agent(record["messages"])
        self.ratings.take(record)
        self.cost_by_day[record["timestamp_start"][:10]] += self.cost_usd - spent

    def _take_turn(self, said: list[Record], is_first: bool) -> None:
        asked = next((message for message in said if message["role"] == "user"), None)
        replies = [message for message in said if message["role"] == "assistant"]
        unresolved = any(
            is_unresolved_reply({"feature": reply["feature_used"], "response": reply.get("response")})
            for reply in replies
        )
        if asked is not None and asked.get("intent_detected"):
            self.intents[asked["intent_detected"]] += 1
            self.intents_unresolved[asked["intent_detected"]] += unresolved
            self.confidence[min(19, int((asked["confidence"] or 0.0) * 20))] += 1
        if asked is not None and unresolved:
            self._sample(asked["content"])
        if asked is not None and isinstance(asked.get("llm"), Mapping):
            self._take_llm(asked["llm"])
        for reply in replies:
            self._take_reply(reply)
        self.answered += bool(replies)
        self.in_several += len(replies) > 1
        if asked is not None and replies:
            self._take_latency(asked, replies[0], is_first)

    def _take_reply(self, reply: Record) -> None:
        self.features[reply["feature_used"] or "none"] += 1
        self.delivery[reply["delivery_status"] or "unknown"] += 1
        if reply["delivery_status"] == "failed":
            self.errors[reply.get("error") or "unknown"] += 1
        pages = reply.get("policy_pages") or ()
        for page in [pages] if isinstance(pages, str) else pages:
            self.pages[page if isinstance(page, str) else str(page.get("page", "?"))] += 1
        if isinstance(reply.get("llm"), Mapping):
            self._take_llm(reply["llm"])

    def _take_latency(self, asked: Record, reply: Record, is_first: bool) -> None:
        received, accepted = asked.get("received_at"), reply.get("accepted_at")
        if received and accepted:
            seconds = max(0.0, (moment(accepted) - moment(received)).total_seconds())
            self.answers.add(seconds)
            if is_first:
                self.first_answers.add(seconds)

    def _take_agent(self, said: list[Record]) -> None:
        """How long the customer waited for a person."""
        escalated = next((message for message in said if message.get("escalated")), None)
        agent = next((message for message in said if message["role"] == "agent"), None)
        if escalated and agent:
            waited = moment(agent["timestamp"]) - moment(escalated["timestamp"])
            self.first_agent_words.add(max(0.0, waited.total_seconds()))

    def _take_llm(self, llm: Mapping[str, Any]) -> None:
        model = str(llm.get("model") or "without a model")
        usage = llm.get("usage") if isinstance(llm.get("usage"), Mapping) else llm
        assert isinstance(usage, Mapping)
        use = self.llm[model]
        tokens_in, tokens_out = int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0)
        use.calls += 1
        use.tokens_in += tokens_in
        use.tokens_out += tokens_out
        use.verdicts[str(llm.get("verdict") or llm.get("outcome") or "unknown")] += 1
        if llm.get("latency_ms") is not None:
            use.latency.add(float(llm["latency_ms"]) / 1000)
        cost = llm.get("cost_usd")
        if cost is None and not tokens_in and not tokens_out:
            cost = 0.0
        elif cost is None and model in PRICES:
            cost = (tokens_in * PRICES[model][0] + tokens_out * PRICES[model][1]) / 1e6
        if cost is not None:
            use.cost_usd = (use.cost_usd or 0.0) + float(cost)

    def _sample(self, text: str) -> None:
        """Keep a fair sample of what was not understood, without personal data."""
        self.unresolved_messages += 1
        if len(self.unresolved) < SAMPLE:
            self.unresolved.append(redact(text)[:300])
            return
        place = self._random.randrange(self.unresolved_messages)
        if place < SAMPLE:
            self.unresolved[place] = redact(text)[:300]


def contained(outcomes: Mapping[str, float]) -> float | None:
    """The share of the ended conversations that were resolved without a person; None when none has ended."""
    ended = sum(outcomes.get(outcome, 0) for outcome in OUTCOMES[:3])
    return outcomes.get("resolved", 0) / ended if ended else None
